import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { connectUser, count, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { failureOf, openStatsClient, serviceWays, type StatsClient } from "../helpers/stats-clients.js";

const alice = "user>>>alice>>>online";
const aliceUp = userUplink("alice");
const aliceDown = "user>>>alice>>>traffic>>>downlink";
const bobUp = userUplink("bob");

interface Opened {
  readonly api: TestApi;
  readonly client: StatsClient;
}

const singBox = "experimental.v2rayapi.StatsService";

for (const { service, way } of serviceWays) {
  const start = async (t: TestContext): Promise<Opened> => {
    const api = await startApi(t);
    return { api, client: openStatsClient(t, api, { service, way }) };
  };
  describe(`Online users of ${service.typeName} by ${way.way}`, { timeout: 30_000 }, () => {
    if (service.typeName === singBox) describeWithout(start);
    else describeCalls(start);
  });
}

function describeCalls(start: (t: TestContext) => Promise<Opened>): void {
  it("are none at first, and unknown by name", async (t) => {
    const { client } = await start(t);
    assert.deepEqual(await client.onlineUsers(), []);
    assert.deepEqual(await client.usersStats({ includeTraffic: true }), []);
    for (const call of [client.onlineCount(alice), client.onlineIps(alice)]) {
      assert.deepEqual(await failureOf(call), { code: Code.NotFound, message: `${alice} not found.` });
    }
  });

  it("are counted by address while they are connected, and 0 when they are gone", async (t) => {
    const { api, client } = await start(t);
    const entries = ["192.0.2.1", "192.0.2.1", "2001:db8::1"].map((host) => connectUser(api, "alice", host));
    assert.deepEqual(await client.onlineCount(alice), { name: alice, value: 2n });
    for (const entry of entries.splice(1)) entry[Symbol.dispose]();
    assert.deepEqual(await client.onlineCount(alice), { name: alice, value: 1n });
    for (const entry of entries) entry[Symbol.dispose]();
    assert.deepEqual(await client.onlineCount(alice), { name: alice, value: 0n });
    assert.deepEqual(await client.onlineIps(alice), [alice, {}]);
  });

  it("have addresses that are seen now, in Unix seconds", async (t) => {
    const { api, client } = await start(t);
    connectUser(api, "alice", "192.0.2.1");
    connectUser(api, "alice", "2001:db8::1");
    const before = BigInt(Math.floor(Date.now() / 1_000));
    const [name, ips] = await client.onlineIps(alice);
    const after = BigInt(Math.floor(Date.now() / 1_000));
    assert.equal(name, alice);
    assert.deepEqual(Object.keys(ips), ["192.0.2.1", "2001:db8::1"]);
    for (const lastSeen of Object.values(ips)) assert.ok(lastSeen >= before && lastSeen <= after);
  });

  it("are listed by the names under which they are counted", async (t) => {
    const { api, client } = await start(t);
    connectUser(api, "alice", "192.0.2.1");
    connectUser(api, "bob@b.test", "192.0.2.1");
    connectUser(api, "日本", "192.0.2.1")[Symbol.dispose]();
    const names = await client.onlineUsers();
    assert.deepEqual(names, [alice, "user>>>bob@b.test>>>online"]);
    for (const name of names) assert.deepEqual(await client.onlineCount(name), { name, value: 1n });
    assert.deepEqual(await client.onlineCount("user>>>日本>>>online"), {
      name: "user>>>日本>>>online",
      value: 0n,
    });
  });

  it("are listed by their bare names, with their addresses and without their traffic", async (t) => {
    const { api, client } = await start(t);
    count(api.store, aliceUp, 5);
    connectUser(api, "alice", "192.0.2.1");
    connectUser(api, "alice", "192.0.2.2");
    connectUser(api, "gone", "192.0.2.1")[Symbol.dispose]();
    const users = await client.usersStats({});
    assert.deepEqual(
      users.map(({ email, ips, traffic }) => [email, ips.map(({ ip }) => ip), traffic]),
      [["alice", ["192.0.2.1", "192.0.2.2"], undefined]],
    );
    const now = BigInt(Math.floor(Date.now() / 1_000));
    for (const { lastSeen } of users[0]?.ips ?? []) assert.ok(lastSeen <= now && lastSeen > now - 30n);
  });

  /** Alice is online and counted, bob is counted, carol is online. */
  function connectAll(api: TestApi): void {
    count(api.store, aliceUp, 2n ** 53n + 1n);
    count(api.store, aliceDown, 7);
    count(api.store, bobUp, 9);
    count(api.store, "inbound>>>alice>>>traffic>>>uplink", 11);
    connectUser(api, "alice", "192.0.2.1");
    connectUser(api, "carol", "192.0.2.2");
  }

  const whole = {
    [aliceUp]: 2n ** 53n + 1n,
    [aliceDown]: 7n,
    [bobUp]: 9n,
    "inbound>>>alice>>>traffic>>>uplink": 11n,
  };

  async function trafficOf(client: StatsClient, reset: boolean): Promise<unknown> {
    const users = await client.usersStats({ includeTraffic: true, reset });
    return users.map(({ email, traffic }) => [email, traffic?.uplink, traffic?.downlink]);
  }

  it("come with their traffic if that is asked for", async (t) => {
    const { api, client } = await start(t);
    connectAll(api);
    assert.deepEqual(await trafficOf(client, false), [
      ["alice", 2n ** 53n + 1n, 7n],
      ["carol", 0n, 0n],
    ]);
    assert.deepEqual(valuesOf(api.store), whole);
  });

  it("are reset with it, those who are online and nobody else", async (t) => {
    const { api, client } = await start(t);
    connectAll(api);
    assert.deepEqual(await trafficOf(client, true), [
      ["alice", 2n ** 53n + 1n, 7n],
      ["carol", 0n, 0n],
    ]);
    assert.deepEqual(valuesOf(api.store), { ...whole, [aliceUp]: 0n, [aliceDown]: 0n });
  });

  it("are not reset by a call that does not read their traffic", async (t) => {
    const { api, client } = await start(t);
    connectAll(api);
    await client.usersStats({ reset: true });
    assert.deepEqual(valuesOf(api.store), whole);
  });

  it("are in no answer of QueryStats or GetStats", async (t) => {
    const { api, client } = await start(t);
    connectUser(api, "alice", "192.0.2.1");
    assert.deepEqual(await client.query({}), []);
    assert.deepEqual(await client.query({ patterns: ["online"] }), []);
    assert.equal((await failureOf(client.get(alice))).code, Code.NotFound);
  });

  for (const name of ["", "alice", aliceUp, "inbound>>>alice>>>online", `${alice}>>>`]) {
    it(`are not found under ${JSON.stringify(name)}`, async (t) => {
      const { api, client } = await start(t);
      connectUser(api, "alice", "192.0.2.1");
      count(api.store, aliceUp, 1);
      for (const call of [client.onlineCount(name), client.onlineIps(name)]) {
        assert.deepEqual(await failureOf(call), { code: Code.NotFound, message: `${name} not found.` });
      }
    });
  }
}

/** What clients of sing-box's name are told, whose .proto file has none of the calls. */
function describeWithout(start: (t: TestContext) => Promise<Opened>): void {
  it("are not implemented", async (t) => {
    const { client } = await start(t);
    await assertNotImplemented(client);
  });
}

async function assertNotImplemented(client: StatsClient): Promise<void> {
  for (const method of ["GetStatsOnline", "GetStatsOnlineIpList", "GetAllOnlineUsers", "GetUsersStats"]) {
    assert.equal((await failureOf(client.callMethod(method))).code, Code.Unimplemented, method);
  }
}

describe("The calls of online users", { timeout: 30_000 }, () => {
  for (const { service, way } of serviceWays.filter(({ way: { way } }) => way !== "in memory")) {
    it(`are not implemented for ${service.typeName} by ${way.way} where nobody knows of them`, async (t) => {
      const api = await startApi(t, { online: undefined });
      const client = openStatsClient(t, api, { service, way });
      count(api.store, aliceUp, 5);
      await assertNotImplemented(client);
      assert.equal(await client.get(aliceUp), 5n);
    });
  }
});
