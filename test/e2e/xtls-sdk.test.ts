import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { XtlsApi } from "@remnawave/xtls-sdk";
import { assertCounters, expectedCounters, sumCounters } from "../helpers/api-client.js";
import { portOf, testConfig, useCli, type Cli } from "../helpers/cli.js";
import { askThrough, tunnelThrough } from "../helpers/cli-traffic.js";
import { Origin, useOrigin } from "../helpers/origin.js";

const io = { timeout: 30_000 };

/** What the SDK makes of an answer, or of an error: it never throws. */
interface SdkAnswer {
  readonly isOk: boolean;
  readonly data?: object;
  readonly message?: string;
}

/** One client for all tests of a suite. */
function useSdk(cli: () => Cli): () => XtlsApi["stats"] {
  let sdk: XtlsApi | undefined;
  after(() => sdk?.channel.close());
  return () => (sdk ??= new XtlsApi("127.0.0.1", String(portOf(cli().api)))).stats;
}

async function assertData(call: Promise<SdkAnswer>, expected: object): Promise<void> {
  const { isOk, data, message } = await call;
  assert.ok(isOk, message);
  assert.deepEqual({ ...data }, expected);
}

describe("Remnawave's xtls-sdk", () => {
  const cli = useCli();
  const aliceOrigin = useOrigin();
  const bobOrigin = useOrigin();
  const stats = useSdk(cli);

  function traffic(...origins: readonly Origin[]): { readonly uplink: number; readonly downlink: number } {
    return {
      uplink: origins.reduce((sum, { moved }) => sum + moved.up, 0),
      downlink: origins.reduce((sum, { moved }) => sum + moved.down, 0),
    };
  }

  /** All answers that there can be about the traffic of both, and of each. */
  function expected() {
    const [alice, bob] = [aliceOrigin(), bobOrigin()];
    return {
      alice: { username: "alice", ...traffic(alice) },
      bob: { username: "bob", ...traffic(bob) },
      inbound: { inbound: "mixed-in", ...traffic(alice, bob) },
      outbound: { outbound: "direct", ...traffic(alice, bob) },
    };
  }

  const nothing = { uplink: 0, downlink: 0 };

  it("finds nothing where nothing was counted yet", io, async () => {
    await assertData(stats().getAllUsersStats(), { users: [] });
    await assertData(stats().getUserStats("alice"), { user: null });
    await assertData(stats().getInboundStats("mixed-in"), { inbound: null });
    await assertData(stats().getOutboundStats("direct"), { outbound: null });
  });

  it("has some traffic to read about", io, async (t) => {
    await askThrough(t, cli().proxy, "alice", `${aliceOrigin().url}/bytes/300000`);
    await askThrough(t, cli().proxy, "bob", bobOrigin().url, { body: Origin.body(70_000) });
    await assertCounters(cli().api, () =>
      sumCounters([
        expectedCounters("alice", aliceOrigin().moved),
        expectedCounters("bob", bobOrigin().moved),
      ]),
    );
    assert.ok(aliceOrigin().downlinkBytes > 300_000);
    assert.ok(bobOrigin().uplinkBytes > 70_000);
  });

  it("reads users", io, async () => {
    const { alice, bob } = expected();
    await assertData(stats().getAllUsersStats(), { users: [alice, bob] });
    await assertData(stats().getUserStats("alice"), { user: alice });
    await assertData(stats().getUserStats("bob"), { user: bob });
  });

  it("does not take a part of a name for the name", io, async () => {
    for (const part of ["ali", "lice", "nobody"]) {
      await assertData(stats().getUserStats(part), { user: null });
    }
  });

  it("reads inbounds and outbounds", io, async () => {
    const { inbound, outbound } = expected();
    await assertData(stats().getAllInboundsStats(), { inbounds: [inbound] });
    await assertData(stats().getInboundStats("mixed-in"), { inbound });
    await assertData(stats().getAllOutboundsStats(), { outbounds: [outbound] });
    await assertData(stats().getOutboundStats("direct"), { outbound });
  });

  it("reads one counter, and is told of one that there is not", io, async () => {
    const name = "user>>>alice>>>traffic>>>downlink";
    const { stat } = await stats().rawClient.getStats({ name });
    assert.equal(stat?.value, aliceOrigin().downlinkBytes);
    await assert.rejects(stats().rawClient.getStats({ name: "user>>>nobody>>>traffic>>>uplink" }), {
      code: 5,
      details: "user>>>nobody>>>traffic>>>uplink not found.",
    });
  });

  it("reads the system's figures", io, async () => {
    const { isOk, data } = await stats().getSysStats();
    assert.ok(isOk && data !== undefined);
    assert.ok(data.alloc > 1_000_000 && data.sys > data.alloc);
    assert.ok(data.numGoroutine > 0);
  });

  it("resets one user and leaves the others", io, async () => {
    const { alice, bob } = expected();
    await assertData(stats().getUserStats("alice", true), { user: alice });
    await assertData(stats().getAllUsersStats(true), { users: [{ username: "alice", ...nothing }, bob] });
    await assertData(stats().getUserStats("bob"), { user: { username: "bob", ...nothing } });
  });

  it("resets inbounds and outbounds, which resets of users have left", io, async () => {
    const { inbound, outbound } = expected();
    await assertData(stats().getInboundStats("mixed-in", true), { inbound });
    await assertData(stats().getOutboundStats("direct", true), { outbound });
    await assertData(stats().getAllInboundsStats(true), { inbounds: [{ inbound: "mixed-in", ...nothing }] });
    await assertData(stats().getAllOutboundsStats(true), { outbounds: [{ outbound: "direct", ...nothing }] });
  });
});

describe("Remnawave's xtls-sdk asking who is online", () => {
  const cli = useCli();
  const origin = useOrigin();
  const stats = useSdk(cli);
  const name = "user>>>alice>>>online";

  it("is told of a user with a connection that is open, and afterwards that there is none", io, async (t) => {
    await assertData(stats().getUserOnlineStatus("alice"), { online: false });
    const client = await tunnelThrough(t, cli().proxy, "alice", origin().url);
    await assertData(stats().getUserOnlineStatus("alice"), { online: true });
    await assertData(stats().getUserOnlineStatus("bob"), { online: false });
    assert.equal((await stats().rawClient.getStatsOnline({ name })).stat?.value, 1);
    const { ips } = await stats().rawClient.getStatsOnlineIpList({ name });
    assert.deepEqual(Object.keys(ips), ["127.0.0.1"]);
    assert.ok(Math.abs((ips["127.0.0.1"] ?? 0) - Date.now() / 1_000) < 60);

    client.resetAndDestroy();
    let { stat } = await stats().rawClient.getStatsOnline({ name });
    while (stat?.value !== 0) ({ stat } = await stats().rawClient.getStatsOnline({ name }));
    assert.deepEqual((await stats().rawClient.getStatsOnlineIpList({ name })).ips, {});
    // It takes whomever the server has seen for online.
    await assertData(stats().getUserOnlineStatus("alice"), { online: true });
  });
});

describe("Remnawave's xtls-sdk, where statistics are disabled", () => {
  const cli = useCli(testConfig({ api: { stats: { enabled: false } } }));
  const stats = useSdk(cli);

  for (const method of ["getSysStats", "getAllUsersStats", "getAllInboundsStats"] as const) {
    it(`is told that ${method} is not implemented`, io, async () => {
      const { isOk, message } = await stats()[method]();
      assert.equal(isOk, false);
      assert.match(message ?? "", / UNIMPLEMENTED: /);
    });
  }
});
