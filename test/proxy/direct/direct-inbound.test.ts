import assert from "node:assert/strict";
import { Socket } from "node:dgram";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { DialError } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { Resolver } from "../../../src/net/resolver.js";
import { DirectInbound, type DirectInboundOptions } from "../../../src/proxy/direct/direct-inbound.js";
import { DirectOutbound } from "../../../src/proxy/direct/direct-outbound.js";
import type { RoutesOptions } from "../../../src/proxy/routes.js";
import type { Network } from "../../../src/track/network.js";
import { readAll, sha256 } from "../../helpers/bytes.js";
import { countPackets, type CountedPackets } from "../../helpers/counted-packets.js";
import { startDestination } from "../../helpers/destination.js";
import { MemoryOutbound } from "../../helpers/memory-outbound.js";
import { connectTo } from "../../helpers/proxy.js";
import { createRandom } from "../../helpers/random.js";
import { closeAfter, closedPort, openSockets } from "../../helpers/sockets.js";
import { closed, failed, turns, until } from "../../helpers/timing.js";
import { startUdpEcho } from "../../helpers/udp-echo.js";
import { failUdpBinds } from "../../helpers/udp-faults.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const random = createRandom(11);
const never = new AbortController().signal;
const nowhere: Endpoint = { host: "192.0.2.1", port: 53 };
const subjects = ["inbound in", "outbound out"];

interface OpenOptions extends Partial<DirectInboundOptions> {
  readonly networks?: readonly Network[];
  /** Default: everything leaves through one direct outbound `out`. */
  readonly routes?: RoutesOptions;
}

interface Opened extends CountedPackets {
  readonly inbound: DirectInbound;
  readonly endpoint: Endpoint;
}

function create({
  networks = ["tcp", "udp"],
  routes = { final: new DirectOutbound({ tag: "out" }) },
  ...options
}: OpenOptions): CountedPackets & { readonly inbound: DirectInbound } {
  const packets = countPackets(routes);
  const inbound = new DirectInbound({
    ...{ tag: "in", listen: { host: "127.0.0.1", port: 0 }, destination: nowhere, logger: packets.logger },
    onRequest: networks.includes("tcp") ? packets.onRequest : undefined,
    onPackets: networks.includes("udp") ? packets.onPackets : undefined,
    ...options,
  });
  return { ...packets, inbound };
}

/** Where no other test takes a port for itself. */
const ownHost = "127.0.0.53";

async function open(t: TestContext, options: OpenOptions = {}): Promise<Opened> {
  closeAfter(t);
  const created = create(options);
  closeAfter(t, created.inbound);
  const endpoint = await created.inbound.start();
  // If the first port was not free for both, what was opened there is closed by then.
  await turns(3);
  return { ...created, endpoint };
}

describe("DirectInbound", () => {
  it("has its tag and its type's name", () => {
    const { tag, type } = create({}).inbound;
    assert.deepEqual([tag, type], ["in", "direct"]);
  });

  const listeners: readonly (readonly [networks: readonly Network[], opened: readonly string[]])[] = [
    [["tcp"], ["TCPServerWrap"]],
    [["udp"], ["UDPWrap"]],
    [
      ["tcp", "udp"],
      ["TCPServerWrap", "UDPWrap"],
    ],
  ];
  for (const [networks, expected] of listeners) {
    it(`listens for ${networks.join(" and ")}, on one port, and for nothing else`, io, async (t) => {
      const before = openSockets();
      const { endpoint, inbound } = await open(t, { networks });
      assert.deepEqual(openSockets().slice(before.length), expected);
      assert.equal(endpoint.host, "127.0.0.1");
      assert.notEqual(endpoint.port, 0);
      await inbound.stop(never);
      await turns(3);
      assert.deepEqual(openSockets(), before);
    });

    it(`listens for ${networks.join(" and ")} where it is told`, io, async (t) => {
      closeAfter(t);
      const listen = { host: ownHost, port: await closedPort() };
      assert.deepEqual((await open(t, { networks, listen })).endpoint, listen);
    });

    it(
      `cannot listen for ${networks.join(" and ")} where somebody else does, and leaves nothing open`,
      io,
      async (t) => {
        const { endpoint } = await open(t);
        const before = openSockets();
        const { inbound } = create({ networks, listen: endpoint });
        const message = `listen 127.0.0.1:${endpoint.port}: address in use`;
        await assert.rejects(inbound.start(), { name: "ListenError", message });
        await turns(3);
        assert.deepEqual(openSockets(), before);
      },
    );
  }

  it("cannot listen where only the UDP port is taken, and gives the TCP port back", io, async (t) => {
    const peer = await openUdpPeer(t, { host: ownHost });
    const before = openSockets();
    const bind = t.mock.method(Socket.prototype, "bind");
    const { inbound } = create({ listen: peer.local });
    await assert.rejects(inbound.start(), { name: "ListenError" });
    assert.equal(bind.mock.callCount(), 1, "another attempt at the same port");
    await turns(3);
    assert.deepEqual(openSockets(), before);
    const { endpoint } = await open(t, { networks: ["tcp"], listen: peer.local });
    assert.deepEqual(endpoint, peer.local);
  });

  it("tries further free ports where the UDP port of one is taken", io, async (t) => {
    const binds = failUdpBinds(t, "EADDRINUSE", 3);
    const before = openSockets();
    const { endpoint } = await open(t);
    assert.equal(binds.failedCount, 3);
    await connectTo(t, endpoint);
    assert.deepEqual(openSockets().filter((name) => /Server|UDP/.test(name)).length, before.length + 2);
  });

  it("gives up after ten free ports whose UDP ports are taken", io, async (t) => {
    closeAfter(t);
    const binds = failUdpBinds(t, "EADDRINUSE");
    await assert.rejects(create({}).inbound.start(), { name: "ListenError" });
    assert.equal(binds.failedCount, 10);
  });

  it("may be stopped before it starts, and twice", io, async (t) => {
    const { inbound } = create({});
    await inbound.stop(never);
    await inbound[Symbol.asyncDispose]();
    const { inbound: started } = await open(t);
    await started.stop(never);
    await started.stop(never);
    await started[Symbol.asyncDispose]();
  });
});

describe("DirectInbound over TCP", () => {
  it("brings connections to its destination, both ways, and counts them", io, async (t) => {
    const target = await startDestination(t);
    const { endpoint, assertMoved, told } = await open(t, { destination: target.endpoint });
    const client = await connectTo(t, endpoint);
    const source = { host: "127.0.0.1", port: client.localPort };
    const remote = await target.accept();
    client.end("question");
    assert.equal((await readAll(remote)).toString(), "question");
    const answer = random.bytes(500_000);
    remote.end(answer);
    assert.equal(sha256(await readAll(client)), sha256(answer));
    await assertMoved(subjects, { up: 8, down: 500_000 });
    const facts = { inbound: "in", outbound: "out", user: undefined, network: "tcp", rule: "final" };
    assert.deepEqual(told, [{ ...facts, source, destination: target.endpoint }]);
  });

  it("says nothing to the client by itself", io, async (t) => {
    const target = await startDestination(t);
    const { endpoint } = await open(t, { destination: target.endpoint });
    const client = await connectTo(t, endpoint);
    (await target.accept()).resume().end();
    assert.equal((await readAll(client)).length, 0);
    client.end();
  });

  const refuse = async () => Promise.reject(new DialError("refused", "no"));
  const failures: readonly (readonly [what: string, routes: RoutesOptions])[] = [
    ["is blocked", { final: { tag: "block", blocks: true } }],
    ["cannot be reached", { final: { tag: "out", blocks: false, dial: refuse } }],
  ];
  for (const [what, routes] of failures) {
    it(`resets a client whose destination ${what}`, io, async (t) => {
      const { endpoint } = await open(t, { routes });
      const client = connect({ ...endpoint });
      closeAfter(t, client);
      // It may be there before the connection is known to stand.
      assert.equal((await failed(client)).code, "ECONNRESET");
    });
  }

  it("stops when the last connection has ended, or is cut", io, async (t) => {
    const target = await startDestination(t);
    for (const isCut of [false, true]) {
      const { endpoint, inbound } = await open(t, { destination: target.endpoint });
      const client = await connectTo(t, endpoint);
      const remote = await target.accept();
      remote.resume();
      const cut = new AbortController();
      let isStopped = false;
      const stopped = inbound.stop(cut.signal).then(() => (isStopped = true));
      await turns(3);
      assert.equal(isStopped, false);
      if (isCut) cut.abort();
      else client.resume().end();
      remote.end();
      await stopped;
      await closed(client);
    }
  });
});

describe("DirectInbound over UDP", () => {
  for (const bytes of [0, 1, 1_473, 65_507]) {
    it(`carries ${bytes} bytes whole, there and back, and counts them`, io, async (t) => {
      const echo = await startUdpEcho(t);
      const { endpoint, assertMoved } = await open(t, { destination: echo.endpoint });
      const client = await openUdpPeer(t);
      const payload = random.bytes(bytes);
      await client.send(payload, endpoint);
      const answer = await client.receive();
      assert.deepEqual([answer.payload.length, sha256(answer.payload)], [bytes, sha256(payload)]);
      assert.deepEqual(answer.endpoint, endpoint);
      await assertMoved(subjects, { up: bytes, down: bytes });
    });
  }

  it("is told to the tracker once a client, with all its facts", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { endpoint, told } = await open(t, { destination: echo.endpoint });
    const clients = [await openUdpPeer(t), await openUdpPeer(t)];
    for (const client of [...clients, ...clients]) {
      await client.send("x", endpoint);
      await client.receive();
    }
    const facts = { inbound: "in", outbound: "out", user: undefined, network: "udp", rule: "final" };
    const expected = clients.map(({ local }) => ({ ...facts, source: local, destination: echo.endpoint }));
    assert.deepEqual(told, expected);
  });

  it("serves many clients at once, each with its own answers", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { endpoint, assertMoved } = await open(t, { destination: echo.endpoint });
    const clients = await Promise.all(Array.from({ length: 20 }, async () => openUdpPeer(t)));
    await Promise.all(
      clients.map(async (client, index) => {
        for (let packet = 0; packet < 10; packet++) {
          const text = `${index} ${packet}`.padEnd(10);
          await client.send(text, endpoint);
          const answer = await client.receive();
          assert.deepEqual([answer.payload.toString(), answer.endpoint], [text, endpoint]);
        }
      }),
    );
    await assertMoved(subjects, { up: 2_000, down: 2_000 });
  });

  it("reaches a destination by name, and over IPv6", io, async (t) => {
    const echo = await startUdpEcho(t, { host: "::1" });
    const lookup = async () => Promise.resolve(["::1"]);
    const { endpoint } = await open(t, {
      destination: { host: "service.test", port: echo.endpoint.port },
      routes: { final: new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) }) },
    });
    const client = await openUdpPeer(t);
    await client.send("hello", endpoint);
    const answer = await client.receive();
    assert.deepEqual([answer.payload.toString(), answer.endpoint], ["hello", endpoint]);
  });

  const listeners: readonly (readonly [listenAt: string, reachedAt: readonly string[]])[] = [
    ["::", ["127.0.0.1", "::1"]],
    ["::0", ["127.0.0.1", "::1"]],
    ["0:0:0:0:0:0:0:0", ["127.0.0.1", "::1"]],
    ["0:0:0:0:0:0:0:1", ["::1"]],
    ["::ffff:127.0.0.1", ["127.0.0.1"]],
    ["0.0.0.0", ["127.0.0.1"]],
  ];
  for (const [listenAt, reachedAt] of listeners) {
    it(`that listens at ${listenAt} is reached at ${reachedAt.join(" and ")}, as over TCP`, io, async (t) => {
      const echo = await startUdpEcho(t);
      const { endpoint } = await open(t, {
        listen: { host: listenAt, port: 0 },
        destination: echo.endpoint,
      });
      for (const host of reachedAt) {
        const client = await openUdpPeer(t, { host });
        await client.send("hello", { host, port: endpoint.port });
        assert.equal((await client.receive()).payload.toString(), "hello");
        await connectTo(t, { host, port: endpoint.port });
      }
    });
  }

  it("makes the client that has been silent longest give way, and its sockets", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { endpoint, logger } = await open(t, { destination: echo.endpoint, maxSessions: 2 });
    const before = openSockets().length;
    const clients = [await openUdpPeer(t), await openUdpPeer(t), await openUdpPeer(t)];
    for (const client of clients) {
      await client.send("x", endpoint);
      await client.receive();
    }
    await until(() => logger.messages("info").includes("connection closed"));
    await turns(3);
    // Three clients, and the sockets of two of them.
    assert.equal(openSockets().length, before + 3 + 2);
  });

  it("ends the session of a client that nothing has passed for, and begins another", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const echo = await startUdpEcho(t);
    const { endpoint, logger, told } = await open(t, { destination: echo.endpoint, udpTimeoutMs: 1_000 });
    const client = await openUdpPeer(t);
    for (const count of [1, 2]) {
      await client.send("x", endpoint);
      await client.receive();
      t.mock.timers.tick(1_000);
      await until(() => logger.messages("info").length === count);
    }
    assert.equal(told.length, 2);
    assert.deepEqual(logger.messages("info"), ["connection closed", "connection closed"]);
  });

  it("keeps a session for 5 minutes if nothing else is said", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const final = new MemoryOutbound();
    const { endpoint, logger } = await open(t, { routes: { final } });
    const client = await openUdpPeer(t);
    await client.send("x", endpoint);
    await final.dialledCount(1);
    t.mock.timers.tick(299_999);
    await turns(3);
    assert.deepEqual(logger.messages("info"), []);
    t.mock.timers.tick(1);
    await until(() => logger.messages("info").length === 1);
  });

  it("dials again for a client whose outbound failed, a second later", io, async (t) => {
    const final = new MemoryOutbound({ holds: true });
    const { endpoint, assertMoved } = await open(t, { routes: { final } });
    const client = await openUdpPeer(t);
    await client.send("lost", endpoint);
    await final.dialledCount(1);
    final.fail(new DialError("refused", "no"));
    await turns(3);
    const later = performance.now() + 1_000;
    t.mock.method(performance, "now", () => later);
    await client.send("found", endpoint);
    await final.dialledCount(2);
    final.open();
    await final.remotes[1]?.sentCount(1);
    await assertMoved(subjects, { up: 5, down: 0 });
  });

  it("lets sessions live when it stops, until it is cut", io, async (t) => {
    const echo = await startUdpEcho(t);
    const before = openSockets().length;
    const { endpoint, inbound } = await open(t, { destination: echo.endpoint });
    const client = await openUdpPeer(t);
    await client.send("one", endpoint);
    await client.receive();
    const cut = new AbortController();
    let isStopped = false;
    const stopped = inbound.stop(cut.signal).then(() => (isStopped = true));
    await client.send("two", endpoint);
    assert.equal((await client.receive()).payload.toString(), "two");
    await assert.rejects(connectTo(t, endpoint), { code: "ECONNREFUSED" });
    assert.equal(isStopped, false);
    cut.abort();
    await stopped;
    await turns(3);
    assert.equal(openSockets().length, before + 1);
  });
});
