import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import type { Endpoint } from "../src/net/endpoint.js";
import type { User } from "../src/proxy/users.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { openTunnel } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { countersOf } from "./helpers/test-app.js";
import { closed } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const never = new AbortController().signal;
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };
const carol: User = { username: "carol", password: "c" };

const inbounds = [
  { type: "mixed", tag: "one", listen_port: 0, users: [alice, bob] },
  { type: "mixed", tag: "two", listen_port: 0, users: [bob, carol] },
  { type: "mixed", tag: "open", listen_port: 0 },
];

interface Started {
  readonly app: App;
  readonly logger: RecordingLogger;
  /** Has a user, or nobody, send 3 bytes and receive 5 through an inbound. */
  readonly transfer: (inbound: string, user?: User) => Promise<void>;
}

/** An app with three inbounds and one outbound, `direct`, that counts as it is told. */
async function start(t: TestContext, stats: object): Promise<Started> {
  const logger = new RecordingLogger();
  const config = toConfig({ inbounds, experimental: { v2ray_api: { stats: { enabled: true, ...stats } } } });
  const app = new App(config, { createApiServer: () => assert.fail("there is no API"), logger });
  closeAfter(t, app);
  const addresses = await app.start();
  const proxyOf = (wanted: string): Endpoint =>
    addresses.inbounds.find(({ tag }) => tag === wanted)?.address ??
    assert.fail(`there is no inbound ${wanted}`);
  const transfer = async (inbound: string, user?: User): Promise<void> => {
    const destination = await startDestination(t);
    const client = await openTunnel(t, {
      protocol: "socks5",
      proxy: proxyOf(inbound),
      destination: destination.endpoint,
      user,
    });
    const remote = await destination.accept();
    client.end("abc");
    assert.equal((await readAll(remote)).toString(), "abc");
    remote.end("hello");
    assert.equal((await readAll(client)).toString(), "hello");
    await closed(client);
  };
  return { app, logger, transfer };
}

/** What is counted after so many transfers of each. */
function counted(transfers: Readonly<Record<string, number>>): Record<string, bigint> {
  return Object.fromEntries(
    Object.entries(transfers).flatMap(([subject, count]) => [
      [`${subject}>>>traffic>>>uplink`, 3n * BigInt(count)],
      [`${subject}>>>traffic>>>downlink`, 5n * BigInt(count)],
    ]),
  );
}

describe("App's stats lists with a wildcard", () => {
  const cases: readonly (readonly [stats: object, transfers: Readonly<Record<string, number>>])[] = [
    [{ users: "*" }, { "user>>>alice": 1, "user>>>bob": 2, "user>>>carol": 1 }],
    [{ inbounds: ["*"] }, { "inbound>>>one": 2, "inbound>>>two": 2, "inbound>>>open": 1 }],
    [{ outbounds: ["*"] }, { "outbound>>>direct": 5 }],
    [
      { inbounds: ["open"], users: ["bob", "*"] },
      { "user>>>alice": 1, "user>>>bob": 2, "user>>>carol": 1, "inbound>>>open": 1 },
    ],
  ];
  for (const [stats, transfers] of cases) {
    it(`count everything there is, of all inbounds: ${JSON.stringify(stats)}`, io, async (t) => {
      const started = await start(t, stats);
      await started.transfer("one", alice);
      await started.transfer("one", bob);
      await started.transfer("two", bob);
      await started.transfer("two", carol);
      await started.transfer("open");
      await started.app.stop(never);
      assert.deepEqual(countersOf(started), counted(transfers));
      assert.deepEqual(started.logger.messages("warn"), []);
    });
  }
});

describe("App's bound of counters", () => {
  const everything = { inbounds: "*", outbounds: "*", users: "*" };

  it("lets traffic flow that is not counted any more, and is logged once", io, async (t) => {
    const started = await start(t, { ...everything, max_counters: 6 });
    await started.transfer("one", alice);
    await started.transfer("one", bob);
    await started.transfer("two", carol);
    await started.transfer("one", alice);
    await started.transfer("open");
    await started.app.stop(never);
    assert.deepEqual(
      countersOf(started),
      counted({ "inbound>>>one": 3, "outbound>>>direct": 5, "user>>>alice": 2 }),
    );
    assert.equal(started.app.store.maxCounters, 6);
    const warnings = started.logger.lines.filter(({ level }) => level === "warn" || level === "error");
    assert.deepEqual(
      warnings.map(({ message, fields }) => [message, fields?.["user"]]),
      [["not counted; others may follow", "bob"]],
    );
    const reason = String(warnings[0]?.fields?.["reason"]);
    assert.match(reason, /no more than 6 counters; .*"experimental\.v2ray_api\.stats\.max_counters"/);
  });

  it("leaves no counter without its other half", io, async (t) => {
    const started = await start(t, { ...everything, max_counters: 5 });
    await started.transfer("one", alice);
    await started.app.stop(never);
    assert.deepEqual(countersOf(started), counted({ "inbound>>>one": 1, "outbound>>>direct": 1 }));
  });

  it("is a million by default", io, async (t) => {
    const { app } = await start(t, {});
    assert.equal(app.store.maxCounters, 1_000_000);
  });
});
