import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SocksPacketConnection } from "../../src/proxy/socks/socks-packet-connection.js";
import { closePacketsAfter } from "../helpers/close-packets.js";
import { PacketInbox } from "../helpers/packet-inbox.js";
import { startDestination } from "../helpers/destination.js";
import { closeAfter } from "../helpers/sockets.js";
import { socks5Packet } from "../helpers/socks5-udp-client.js";
import { event } from "../helpers/timing.js";
import { openUdpPeer } from "../helpers/udp-peer.js";
import { anyBytes, mutated, toBytes, toText } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const endpoint = fc.record({
  host: fc.oneof(fc.ipV4(), fc.constant("2001:db8::1"), fc.stringMatching(/^[a-z][a-z0-9.-]{0,80}$/)),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const packet = fc.record({ endpoint, payload: anyBytes(100) });

describe("a way for packets through a SOCKS server", () => {
  it("lives on, whatever the server's relay sends", fuzzLimits, async (t) => {
    const relay = await openUdpPeer(t);
    const server = await startDestination(t);
    const control = connect({ ...server.endpoint, allowHalfOpen: true });
    closeAfter(t, control);
    await event(control, "connect");
    const connection = new SocksPacketConnection({ control, relay: relay.local });
    closePacketsAfter(t, connection);
    const inbox = new PacketInbox(connection);
    connection.send(Buffer.alloc(0), { host: "a.test", port: 1 });
    const { endpoint: from } = await relay.receive();
    let sentCount = 0;
    const dropped = toText(socks5Packet("", { host: "a.test", port: 1 }, 1));
    await fuzz({
      name: "socks-datagrams",
      inputs: fc.record({
        noise: fc.oneof(
          anyBytes(),
          mutated(
            packet.map((right) => toText(socks5Packet(toBytes(right.payload), right.endpoint))),
            { min: 1 },
          ),
          fc.constant(dropped),
        ),
        right: packet,
      }),
      holds: async ({ noise, right: { payload, endpoint: sender } }) => {
        sentCount++;
        const numbered = `${sentCount} ${payload}`;
        await relay.send(toBytes(noise), from);
        await relay.send(socks5Packet(toBytes(numbered), sender), from);
        let received = await inbox.next();
        // Noise may be a packet, too.
        if (toText(received.payload) !== numbered) received = await inbox.next();
        assert.deepEqual(received, { endpoint: sender, payload: toBytes(numbered) });
      },
    });
  });
});
