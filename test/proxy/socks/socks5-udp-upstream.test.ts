import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { DirectInbound } from "../../../src/proxy/direct/direct-inbound.js";
import { Resolver } from "../../../src/net/resolver.js";
import { DirectOutbound } from "../../../src/proxy/direct/direct-outbound.js";
import { SocksOutbound } from "../../../src/proxy/socks/socks-outbound.js";
import type { User } from "../../../src/proxy/users.js";
import { sha256 } from "../../helpers/bytes.js";
import { countPackets } from "../../helpers/counted-packets.js";
import { eventually } from "../../helpers/eventually.js";
import { startPacketProxy, type PacketProxy, type PacketProxyOptions } from "../../helpers/packet-proxy.js";
import { createRandom } from "../../helpers/random.js";
import { closeAfter, openSockets } from "../../helpers/sockets.js";
import { associateSocks5 } from "../../helpers/socks5-udp-client.js";
import { until } from "../../helpers/timing.js";
import { startUdpEcho } from "../../helpers/udp-echo.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const random = createRandom(13);
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };
/** What is counted at the first proxy, which alice uses, and at the second, which the first uses as bob. */
const nearSubjects = ["inbound in", "outbound out", "user alice"];
const farSubjects = ["inbound in", "outbound out", "user bob"];

interface Chain {
  readonly near: PacketProxy;
  readonly far: PacketProxy;
  /** The names that the first proxy looked up. */
  readonly askedNear: readonly string[];
}

/** Two proxies, the first of which leaves through the second. */
async function startChain(t: TestContext, options: PacketProxyOptions = {}): Promise<Chain> {
  const far = await startPacketProxy(t, { users: [bob], ...options });
  const askedNear: string[] = [];
  const lookup = async (host: string) => {
    askedNear.push(host);
    return Promise.reject(new Error("names are the upstream's to look up"));
  };
  const final = new SocksOutbound({ tag: "out", server: far.endpoint, login: bob, lookup });
  const near = await startPacketProxy(t, { users: [alice], routes: { final } });
  return { near, far, askedNear };
}

describe("An association through an upstream proxy", () => {
  const sizes: readonly (readonly [host: string, bytes: number])[] = [
    ["127.0.0.1", 0],
    ["127.0.0.1", 1],
    ["127.0.0.1", 1_473],
    ["127.0.0.1", 65_497],
    // The longer address takes twelve bytes more.
    ["::1", 65_485],
  ];
  for (const [host, bytes] of sizes) {
    it(`carries ${bytes} bytes whole to ${host} and back, counted alike at both proxies`, io, async (t) => {
      const { near, far } = await startChain(t);
      const echo = await startUdpEcho(t, { host });
      const client = await associateSocks5(t, near.endpoint, { user: alice });
      const payload = random.bytes(bytes);
      await client.send(payload, echo.endpoint);
      const answer = await client.receive();
      assert.deepEqual([answer.payload.length, sha256(answer.payload)], [bytes, sha256(payload)]);
      assert.deepEqual(answer.endpoint, echo.endpoint);
      await near.assertMoved(nearSubjects, { up: bytes, down: bytes });
      await far.assertMoved(farSubjects, { up: bytes, down: bytes });
    });
  }

  it("drops an answer that does not fit, and lives", io, async (t) => {
    const { near, far } = await startChain(t);
    const [large, small] = [await startUdpEcho(t, { answerBytes: 65_498 }), await startUdpEcho(t)];
    const client = await associateSocks5(t, near.endpoint, { user: alice });
    await client.send("1", large.endpoint);
    await until(() => far.logger.messages("info").includes("packet dropped"));
    await client.send("22", small.endpoint);
    assert.deepEqual(await client.receive(), { payload: Buffer.from("22"), endpoint: small.endpoint });
    await near.assertMoved(nearSubjects, { up: 3, down: 2 });
    await far.assertMoved(farSubjects, { up: 3, down: 2 });
  });

  it("hears all remotes that were written to, and no stranger", io, async (t) => {
    const { near } = await startChain(t);
    const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" })];
    const sly = await startUdpEcho(t, { answersElsewhere: true });
    const client = await associateSocks5(t, near.endpoint, { user: alice });
    await client.send("sly", sly.endpoint);
    await until(() => sly.moved.down === 3);
    for (const { endpoint } of echoes) {
      await client.send("hello", endpoint);
      assert.deepEqual(await client.receive(), { payload: Buffer.from("hello"), endpoint });
    }
    await near.assertMoved(nearSubjects, { up: 13, down: 10 });
  });

  it("leaves names to the upstream", io, async (t) => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const { near, askedNear } = await startChain(t, {
      routes: { final: new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) }) },
    });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, near.endpoint, { user: alice });
    await client.send("hello", { host: "name.test", port: echo.endpoint.port });
    assert.deepEqual(await client.receive(), { payload: Buffer.from("hello"), endpoint: echo.endpoint });
    assert.deepEqual([askedNear, asked], [[], ["name.test"]]);
  });

  it("ends at both proxies when the client ends it, with all their sockets", io, async (t) => {
    const { near, far } = await startChain(t);
    const echo = await startUdpEcho(t);
    const before = openSockets().length;
    const client = await associateSocks5(t, near.endpoint, { user: alice });
    await client.send("hello", echo.endpoint);
    await client.receive();
    await client.close();
    await eventually(() => {
      assert.equal(openSockets().length, before);
    });
    for (const { logger } of [near, far]) assert.deepEqual(logger.messages("error"), []);
  });

  it("goes on when the upstream is cut", io, async (t) => {
    const { near, far } = await startChain(t);
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, near.endpoint, { user: alice });
    await client.send("hello", echo.endpoint);
    await client.receive();
    await far.inbound[Symbol.asyncDispose]();
    await until(() => near.logger.messages("info").includes("connection closed"));
    await near.assertMoved(nearSubjects, { up: 5, down: 5 });
    assert.equal(client.control.readableEnded, false);
  });

  const refusals: readonly (readonly [what: string, options: PacketProxyOptions])[] = [
    ["has no association to give", { maxAssociations: 0 }],
    ["knows another password", { users: [{ ...bob, password: "other" }] }],
    ["speaks HTTP", { type: "http" }],
  ];
  for (const [what, options] of refusals) {
    it(`goes on when the upstream ${what}, and leaves zeros`, io, async (t) => {
      const { near } = await startChain(t, options);
      const client = await associateSocks5(t, near.endpoint, { user: alice });
      await client.send("hello", { host: "127.0.0.1", port: 53 });
      await until(() => near.logger.failures().length === 1);
      await near.assertMoved(nearSubjects, { up: 0, down: 0 });
      assert.deepEqual(near.logger.messages("error"), []);
      assert.match(near.logger.failures().join(), /^send packets through SOCKS server /);
      assert.equal(client.control.readableEnded, false);
    });
  }
});

describe("A direct inbound through an upstream proxy", () => {
  it("brings packets to its destination and back", io, async (t) => {
    const far = await startPacketProxy(t, { users: [bob] });
    const echo = await startUdpEcho(t);
    const outbound = new SocksOutbound({ tag: "out", server: far.endpoint, login: bob });
    const { onPackets, assertMoved } = countPackets({ final: outbound });
    const inbound = new DirectInbound({
      ...{ tag: "in", listen: { host: "127.0.0.1", port: 0 }, destination: echo.endpoint, onPackets },
    });
    closeAfter(t, inbound);
    const endpoint = await inbound.start();
    const clients = [await openUdpPeer(t), await openUdpPeer(t)];
    for (const client of clients) {
      for (const bytes of [0, 1, 65_497]) {
        await client.send(Buffer.alloc(bytes), endpoint);
        const answer = await client.receive();
        assert.deepEqual([answer.payload.length, answer.endpoint], [bytes, endpoint]);
      }
    }
    await assertMoved(["inbound in", "outbound out"], { up: 130_996, down: 130_996 });
    await far.assertMoved(farSubjects, { up: 130_996, down: 130_996 });
  });
});
