import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { DialError } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { Resolver } from "../../../src/net/resolver.js";
import { DirectOutbound } from "../../../src/proxy/direct/direct-outbound.js";
import type { Outbound } from "../../../src/proxy/outbound.js";
import { ProxyInbound } from "../../../src/proxy/proxy-inbound.js";
import type { User } from "../../../src/proxy/users.js";
import { readAll, sha256 } from "../../helpers/bytes.js";
import { ruleTo } from "../../helpers/destination-rule.js";
import { eventually } from "../../helpers/eventually.js";
import { MemoryOutbound } from "../../helpers/memory-outbound.js";
import { startPacketProxy } from "../../helpers/packet-proxy.js";
import { connectTo } from "../../helpers/proxy.js";
import { createRandom } from "../../helpers/random.js";
import { closeAfter, openSockets } from "../../helpers/sockets.js";
import { socks4Request } from "../../helpers/socks4-client.js";
import { askSocks5, socks5Greeting, socks5Request } from "../../helpers/socks5-client.js";
import { associateSocks5, socks5Packet, type Socks5UdpClient } from "../../helpers/socks5-udp-client.js";
import { closed, failed, turns, until } from "../../helpers/timing.js";
import { startUdpEcho } from "../../helpers/udp-echo.js";
import { failUdpBinds } from "../../helpers/udp-faults.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const random = createRandom(10);
const never = new AbortController().signal;
const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };
const subjects = ["inbound in", "outbound out"];

/** Sends a text to an echo, and checks that it comes back. */
async function assertEchoed(client: Socks5UdpClient, text: string, to: Endpoint, from = to): Promise<void> {
  await client.send(text, to);
  const { payload, endpoint } = await client.receive();
  assert.deepEqual([payload.toString(), endpoint], [text, from]);
}

for (const type of ["socks", "mixed"] as const) {
  for (const user of [undefined, alice]) {
    const users = user === undefined ? [] : [bob, alice];
    const everybody = user === undefined ? subjects : [...subjects, "user alice"];

    describe(`An association of the type ${type}, ${user === undefined ? "anonymous" : "of a user"},`, () => {
      it("carries packets and answers, and counts their payload alike for everybody", io, async (t) => {
        const proxy = await startPacketProxy(t, { type, users });
        const echo = await startUdpEcho(t, { answerBytes: 2_000 });
        const client = await associateSocks5(t, proxy.endpoint, { ...(user && { user }) });
        for (const bytes of [1, 100, 1_472, 0]) {
          await client.send(random.bytes(bytes), echo.endpoint);
          assert.equal((await client.receive()).payload.length, 2_000);
        }
        await proxy.assertMoved(everybody, { up: 1_573, down: 8_000 });
        assert.deepEqual(echo.moved, { up: 1_573, down: 8_000 });
      });

      it("is told to the tracker with all its facts", io, async (t) => {
        const proxy = await startPacketProxy(t, { type, users });
        const echo = await startUdpEcho(t);
        const client = await associateSocks5(t, proxy.endpoint, { ...(user && { user }) });
        await assertEchoed(client, "hello", echo.endpoint);
        await assertEchoed(client, "hello", (await startUdpEcho(t)).endpoint);
        const { address, port } = localOf(client.control);
        assert.deepEqual(proxy.told, [
          {
            ...{ inbound: "in", outbound: "out", user: user?.username, network: "udp", rule: "final" },
            ...{ source: { host: address, port }, destination: echo.endpoint },
          },
        ]);
      });
    });
  }
}

function localOf({ localAddress = "", localPort = 0 }: Socket) {
  return { address: localAddress, port: localPort };
}

describe("An association", () => {
  for (const bytes of [0, 1, 1_472, 1_473, 65_497]) {
    it(`carries ${bytes} bytes whole, there and back`, io, async (t) => {
      const proxy = await startPacketProxy(t);
      const echo = await startUdpEcho(t);
      const client = await associateSocks5(t, proxy.endpoint);
      const payload = random.bytes(bytes);
      await client.send(payload, echo.endpoint);
      const answer = await client.receive();
      assert.deepEqual([answer.payload.length, sha256(answer.payload)], [bytes, sha256(payload)]);
      assert.deepEqual(answer.endpoint, echo.endpoint);
      await proxy.assertMoved(subjects, { up: bytes, down: bytes });
    });
  }

  it("drops an answer that does not fit, says so, counts it nowhere, and lives", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const [large, small] = [await startUdpEcho(t, { answerBytes: 65_498 }), await startUdpEcho(t)];
    const client = await associateSocks5(t, proxy.endpoint);
    await client.send("1", large.endpoint);
    await until(() => proxy.logger.messages("info").length === 1);
    await assertEchoed(client, "22", small.endpoint);
    await proxy.assertMoved(subjects, { up: 3, down: 2 });
    const [line] = proxy.logger.lines.filter(({ level }) => level === "info");
    assert.deepEqual([line?.message, line?.fields?.["bytes"]], ["packet dropped", 65_498]);
    assert.match(String(line?.fields?.["reason"]), /EMSGSIZE/);
  });

  it("reaches addresses of both families, and hears all of them", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" }), await startUdpEcho(t)];
    const client = await associateSocks5(t, proxy.endpoint);
    for (const { endpoint } of echoes) await client.send(`to ${endpoint.port}`, endpoint);
    const heard = [await client.receive(), await client.receive(), await client.receive()];
    assert.deepEqual(
      heard.map(({ payload, endpoint }) => [payload.toString(), endpoint.port]).sort(),
      echoes.map(({ endpoint: { port } }) => [`to ${port}`, port]).sort(),
    );
  });

  it("reaches names, which are looked up once", io, async (t) => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const proxy = await startPacketProxy(t, {
      routes: { final: new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) }) },
    });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint);
    const to = { host: "name.test", port: echo.endpoint.port };
    for (const text of ["one", "two"]) await assertEchoed(client, text, to, echo.endpoint);
    assert.deepEqual(asked, ["name.test"]);
    assert.deepEqual(proxy.told[0]?.destination, to);
  });

  it("drops packets for a name that is not found, and lives", io, async (t) => {
    const lookup = async () => Promise.reject(new Error("getaddrinfo ENOTFOUND name.test"));
    const proxy = await startPacketProxy(t, {
      routes: { final: new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) }) },
    });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint);
    await client.send("lost", { host: "name.test", port: 53 });
    await assertEchoed(client, "found", echo.endpoint);
    const reasons = proxy.logger.lines.map(({ fields }) => fields?.["reason"]).filter(Boolean);
    assert.deepEqual(reasons, ["getaddrinfo ENOTFOUND name.test"]);
    await proxy.assertMoved(subjects, { up: 9, down: 5 });
  });

  it("hears no stranger, and counts none", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const [honest, sly] = [await startUdpEcho(t), await startUdpEcho(t, { answersElsewhere: true })];
    const client = await associateSocks5(t, proxy.endpoint);
    await client.send("sly", sly.endpoint);
    await sly.receivedCount(1);
    await until(() => sly.moved.down === 3);
    await assertEchoed(client, "honest", honest.endpoint);
    assert.equal(client.waitingCount, 0);
    await proxy.assertMoved(subjects, { up: 9, down: 6 });
  });

  for (const expected of [undefined, "own"] as const) {
    it(
      `takes packets of its client only, and counts no others: ${expected ?? "nothing"} announced`,
      io,
      async (t) => {
        const proxy = await startPacketProxy(t);
        const echo = await startUdpEcho(t);
        const client = await associateSocks5(t, proxy.endpoint, { ...(expected && { expected }) });
        await assertEchoed(client, "own", echo.endpoint);
        for (const host of ["127.0.0.1", "127.0.0.2"]) {
          const stranger = await openUdpPeer(t, { host });
          await stranger.send(socks5Packet("not mine", echo.endpoint), client.relay);
        }
        await assertEchoed(client, "own again", echo.endpoint);
        assert.equal(echo.received.length, 2);
        await proxy.assertMoved(subjects, { up: 12, down: 12 });
      },
    );
  }

  it("is one of many, each with its own packets", io, async (t) => {
    const proxy = await startPacketProxy(t, { users: [alice, bob] });
    const echo = await startUdpEcho(t);
    const clients = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        associateSocks5(t, proxy.endpoint, { user: index % 2 === 0 ? alice : bob }),
      ),
    );
    await Promise.all(
      clients.map(async (client, index) => {
        for (let packet = 0; packet < 10; packet++) {
          await assertEchoed(client, `${index} ${packet}`.padEnd(index % 2 === 0 ? 10 : 20), echo.endpoint);
        }
      }),
    );
    await eventually(() => {
      assert.deepEqual(proxy.moved(), {
        "inbound in": { up: 3_000, down: 3_000 },
        "outbound out": { up: 3_000, down: 3_000 },
        "user alice": { up: 1_000, down: 1_000 },
        "user bob": { up: 2_000, down: 2_000 },
      });
    });
  });

  for (const host of ["127.0.0.1", "::1"]) {
    it(`of a listener for all addresses serves a client over ${host}`, io, async (t) => {
      const proxy = await startPacketProxy(t, { listen: { host: "::", port: 0 }, insecure: true });
      const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" })];
      const client = await associateSocks5(t, { host, port: proxy.endpoint.port }, { localHost: host });
      assert.equal(client.relay.host, host);
      for (const { endpoint } of echoes) await assertEchoed(client, "hello", endpoint);
      assert.equal(proxy.told[0]?.source.host, host);
    });
  }

  it("sends packets through different outbounds by destination, and counts them apart", io, async (t) => {
    const [first, second, forbidden] = [await startUdpEcho(t), await startUdpEcho(t), await startUdpEcho(t)];
    const rules = [
      ruleTo(first.endpoint, new DirectOutbound({ tag: "one" })).rule,
      ruleTo(forbidden.endpoint, { tag: "block", blocks: true }).rule,
    ];
    const proxy = await startPacketProxy(t, { routes: { rules, final: new DirectOutbound({ tag: "two" }) } });
    const client = await associateSocks5(t, proxy.endpoint);
    for (let packet = 0; packet < 2; packet++) {
      await client.send("no", forbidden.endpoint);
      await assertEchoed(client, "one", first.endpoint);
      await assertEchoed(client, "second", second.endpoint);
    }
    await eventually(() => {
      assert.deepEqual(proxy.moved(), {
        "inbound in": { up: 18, down: 18 },
        "outbound one": { up: 6, down: 6 },
        "outbound two": { up: 12, down: 12 },
      });
    });
    assert.equal(forbidden.received.length, 0);
    assert.deepEqual(
      proxy.told.map(({ outbound, rule }) => [outbound, rule]),
      [
        ["one", "rules[0]"],
        ["two", "final"],
      ],
    );
  });

  const nowhere: readonly Outbound[] = [
    { tag: "block", blocks: true },
    { tag: "tcp-only", blocks: false, dial: async () => Promise.reject(new DialError("failed", "no")) },
  ];
  for (const final of nowhere) {
    it(`lives although the outbound ${final.tag} takes none of its packets`, io, async (t) => {
      const proxy = await startPacketProxy(t, { routes: { final } });
      const client = await associateSocks5(t, proxy.endpoint);
      for (let packet = 0; packet < 3; packet++) await client.send("x", { host: "192.0.2.1", port: 53 });
      await until(() => proxy.logger.lines.length === 3);
      assert.deepEqual([proxy.logger.messages("info").length, proxy.logger.messages("debug").length], [1, 2]);
      assert.deepEqual([proxy.moved(), proxy.told], [{}, []]);
      assert.equal(client.control.readableEnded, false);
    });
  }
});

describe("An association's end", () => {
  const endings: readonly (readonly [how: string, end: (control: Socket) => unknown])[] = [
    ["a FIN", (control) => control.end()],
    ["a reset", (control) => control.resetAndDestroy()],
  ];
  for (const [how, end] of endings) {
    it(`comes with ${how} of its client, and is that of all its sockets`, io, async (t) => {
      const proxy = await startPacketProxy(t);
      const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" })];
      const before = openSockets().length;
      const client = await associateSocks5(t, proxy.endpoint);
      for (const { endpoint } of echoes) await assertEchoed(client, "hello", endpoint);
      end(client.control);
      await client.ended();
      await until(() => proxy.logger.messages("info").includes("connection closed"));
      // The client's own UDP socket is still there.
      await eventually(() => {
        assert.equal(openSockets().length, before + 1);
      });
      await proxy.assertMoved(subjects, { up: 10, down: 10 });
    });
  }

  it("comes when nothing has passed for a while", io, async (t) => {
    const proxy = await startPacketProxy(t, { udpTimeoutMs: 20 });
    const client = await associateSocks5(t, proxy.endpoint);
    assert.equal((await readAll(client.control)).length, 0);
    await client.ended();
  });

  it("does not come with a failure of its outbound, which is dialled again a second later", io, async (t) => {
    const final = new MemoryOutbound({ holds: true });
    const proxy = await startPacketProxy(t, { routes: { final }, users: [alice] });
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    const destination = { host: "192.0.2.1", port: 53 };
    await client.send("lost", destination);
    await final.dialledCount(1);
    final.fail(new DialError("refused", "connect to upstream: refused"));
    await until(() => proxy.logger.failures().includes("connect to upstream: refused"));
    await proxy.assertMoved([...subjects, "user alice"], { up: 0, down: 0 });

    const later = performance.now() + 1_000;
    t.mock.method(performance, "now", () => later);
    await client.send("found", destination);
    await final.dialledCount(2);
    final.open();
    await final.remotes[1]?.sentCount(1);
  });

  it("does not come with the end of its outbound, as that of an upstream proxy may come", io, async (t) => {
    const final = new MemoryOutbound();
    const proxy = await startPacketProxy(t, { routes: { final } });
    const client = await associateSocks5(t, proxy.endpoint);
    const destination = { host: "192.0.2.1", port: 53 };
    await client.send("hello", destination);
    await final.dialledCount(1);
    await final.remote.sentCount(1);
    final.remote.close();
    await until(() => proxy.logger.messages("info").includes("connection closed"));
    const later = performance.now() + 1_000;
    t.mock.method(performance, "now", () => later);
    await client.send("hello again", destination);
    await final.dialledCount(2);
    await final.remotes[1]?.sentCount(1);
  });
});

describe("ProxyInbound", () => {
  it("refuses associations beyond its bound with 01, until one has ended", io, async (t) => {
    const proxy = await startPacketProxy(t, { maxAssociations: 2 });
    const clients = [await associateSocks5(t, proxy.endpoint), await associateSocks5(t, proxy.endpoint)];
    const refused = await connectTo(t, proxy.endpoint);
    assert.equal((await askSocks5(refused, unspecified, undefined, 3)).reply, 1);
    assert.equal((await readAll(refused)).length, 0);
    await closed(refused.end());
    await clients[0]?.close();
    await eventuallyAssociates();

    /** When the proxy has seen the end it is free to give another. */
    async function eventuallyAssociates(): Promise<void> {
      for (;;) {
        const client = await connectTo(t, proxy.endpoint);
        const { reply } = await askSocks5(client, unspecified, undefined, 3);
        client.destroy();
        if (reply === 0) return;
      }
    }
  });

  it("refuses associations with 01 while there is no descriptor to be had, and says why", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const binds = failUdpBinds(t, "EMFILE");
    const refused = await connectTo(t, proxy.endpoint);
    assert.equal((await askSocks5(refused, unspecified, undefined, 3)).reply, 1);
    await closed(refused.resume().end());
    assert.deepEqual(proxy.logger.messages("warn"), ["no association: listen 127.0.0.1:0: bind EMFILE"]);
    binds.restore();
    await associateSocks5(t, proxy.endpoint);
  });

  it("refuses associations with 07 where nobody takes packets", io, async (t) => {
    const listen = { host: "127.0.0.1", port: 0 };
    const inbound = new ProxyInbound({
      tag: "in",
      type: "socks",
      listen,
      onRequest: async () => Promise.resolve(),
    });
    closeAfter(t, inbound);
    const client = await connectTo(t, await inbound.start());
    assert.equal((await askSocks5(client, unspecified, undefined, 3)).reply, 7);
    await closed(client.resume().end());
  });

  it("gives a client of the type http no association", io, async (t) => {
    const proxy = await startPacketProxy(t, { type: "http" });
    const client = await connectTo(t, proxy.endpoint);
    client.end(Buffer.concat([socks5Greeting(0), socks5Request(unspecified, 3)]));
    assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 400 /);
  });

  it("gives a client of SOCKS4 no association", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const client = await connectTo(t, proxy.endpoint);
    const request = socks4Request({ host: "127.0.0.1", port: 53 });
    request[1] = 3;
    client.end(request);
    assert.equal((await readAll(client)).subarray(0, 2).toString("hex"), "005b");
  });
});

describe("ProxyInbound's stop", () => {
  it("lets associations live, and takes no new ones", io, async (t) => {
    const proxy = await startPacketProxy(t);
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint);
    let isStopped = false;
    const stopped = proxy.inbound.stop(never).then(() => (isStopped = true));
    await assertEchoed(client, "still here", echo.endpoint);
    await assert.rejects(connectTo(t, proxy.endpoint), { code: "ECONNREFUSED" });
    await turns(3);
    assert.equal(isStopped, false);
    client.control.end();
    await Promise.all([stopped, client.ended()]);
  });

  it("ends associations when it is cut, with a reset", io, async (t) => {
    closeAfter(t);
    const before = openSockets().length;
    const proxy = await startPacketProxy(t);
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint);
    await assertEchoed(client, "hello", echo.endpoint);
    const cut = new AbortController();
    const stopped = proxy.inbound.stop(cut.signal);
    const reset = failed(client.control);
    client.control.resume();
    await assertEchoed(client, "hello", echo.endpoint);
    cut.abort();
    await stopped;
    assert.equal((await reset).code, "ECONNRESET");
    await client.close();
    await echo[Symbol.asyncDispose]();
    await eventually(() => {
      assert.equal(openSockets().length, before);
    });
    await proxy.assertMoved(subjects, { up: 10, down: 10 });
  });
});
