import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { OwnSockets } from "../../../src/net/own-sockets.js";
import { Resolver } from "../../../src/net/resolver.js";
import { DirectInbound } from "../../../src/proxy/direct/direct-inbound.js";
import { DirectOutbound } from "../../../src/proxy/direct/direct-outbound.js";
import { countPackets, type CountedPackets } from "../../helpers/counted-packets.js";
import { startDestination } from "../../helpers/destination.js";
import { connectTo } from "../../helpers/proxy.js";
import { closeAfter, closedPort } from "../../helpers/sockets.js";
import { failed, turns, until } from "../../helpers/timing.js";
import { startUdpEcho } from "../../helpers/udp-echo.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
/** Where no other test takes a port for itself. */
const host = "127.0.0.54";
const message = "loop refused: the inbound leads to itself";

/** Inbounds of one app, at these ports, that lead to where they are told; `self.test` is their address. */
async function start(
  t: TestContext,
  ways: readonly (readonly [port: number, host: string, to: number])[],
): Promise<CountedPackets> {
  const ownSockets = new OwnSockets();
  const resolver = new Resolver({
    lookup: async (name) => Promise.resolve([name === "self.test" ? host : "127.0.0.1"]),
  });
  const packets = countPackets({ final: new DirectOutbound({ tag: "out", resolver, ownSockets }) });
  const { logger, onPackets, onRequest } = packets;
  for (const [index, [port, to, toPort]] of ways.entries()) {
    const inbound = new DirectInbound({
      ...{ tag: `in${index}`, listen: { host, port }, destination: { host: to, port: toPort } },
      ...{ onPackets, onRequest, ownSockets, logger },
    });
    closeAfter(t, inbound);
    await inbound.start();
  }
  return packets;
}

/** What was warned of, by the networks of it. */
function warned({ logger }: CountedPackets): unknown[] {
  const warnings = logger.lines.filter(({ level }) => level === "warn");
  for (const warning of warnings) assert.equal(warning.message, message);
  return warnings.map(({ fields }) => fields?.["network"]);
}

describe("DirectInbound that leads to itself", () => {
  const circles: readonly (readonly [
    what: string,
    ways: (a: number, b: number) => readonly (readonly [number, string, number])[],
  ])[] = [
    ["by a name", (a) => [[a, "self.test", a]]],
    [
      "by another inbound",
      (a, b) => [
        [a, host, b],
        [b, host, a],
      ],
    ],
  ];
  for (const [what, ways] of circles) {
    it(`${what} resets a connection, and warns once`, io, async (t) => {
      closeAfter(t);
      const port = await closedPort();
      const packets = await start(t, ways(port, await closedPort()));
      for (let count = 1; count <= 3; count++) {
        const client = connect({ host, port });
        closeAfter(t, client);
        assert.equal((await failed(client)).code, "ECONNRESET");
        await turns(5);
        assert.equal(packets.told.length, count);
      }
      assert.deepEqual(warned(packets), ["tcp"]);
    });

    it(`${what} drops packets, and warns once`, io, async (t) => {
      closeAfter(t);
      const port = await closedPort();
      const packets = await start(t, ways(port, await closedPort()));
      for (let count = 1; count <= 3; count++) {
        const client = await openUdpPeer(t);
        await client.send("round", { host, port });
        await until(() => packets.logger.lines.filter((line) => line.message === message).length === count);
        await turns(5);
        assert.equal(packets.told.length, count);
        assert.equal(client.waitingCount, 0);
      }
      assert.deepEqual(warned(packets), ["udp"]);
    });
  }

  it("is not one that leads elsewhere: clients of this machine are served", io, async (t) => {
    const target = await startDestination(t);
    const echo = await startUdpEcho(t);
    const [a, b] = [await closedPort(), await closedPort()];
    const packets = await start(t, [
      [a, "elsewhere.test", target.endpoint.port],
      [b, "elsewhere.test", echo.endpoint.port],
    ]);
    for (let count = 0; count < 20; count++) {
      const client = await connectTo(t, { host, port: a });
      (await target.accept()).resume().end();
      client.resume().end();
      const peer = await openUdpPeer(t);
      await peer.send("there", { host, port: b });
      assert.equal((await peer.receive()).payload.toString(), "there");
    }
    assert.deepEqual(warned(packets), []);
  });
});
