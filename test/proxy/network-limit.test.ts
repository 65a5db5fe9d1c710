import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialError } from "../../src/net/dial-error.js";
import { createPipe } from "../../src/net/pipe.js";
import { limitNetworks } from "../../src/proxy/network-limit.js";
import { carriesPackets, type OutboundDialOptions, type PacketOutbound } from "../../src/proxy/outbound.js";
import { MemoryPackets } from "../helpers/memory-packets.js";

const destination = { host: "example.com", port: 443 };
const [connection] = createPipe();
const opened = { connection, boundTo: { host: "192.0.2.1", port: 1 } };
const packets = new MemoryPackets();

/** An outbound that carries both, and keeps how it is dialled. */
function createOutbound(): { readonly outbound: PacketOutbound; readonly dialled: unknown[] } {
  const dialled: unknown[] = [];
  const outbound: PacketOutbound = {
    tag: "out",
    blocks: false,
    dial: async (...values) => {
      dialled.push(values);
      return Promise.resolve(opened);
    },
    dialPackets: async (...values) => {
      dialled.push(values);
      return Promise.resolve(packets);
    },
  };
  return { outbound, dialled };
}

describe("limitNetworks", () => {
  const options: OutboundDialOptions = { signal: new AbortController().signal };

  it("leaves both as they are where it has both", async () => {
    const { outbound, dialled } = createOutbound();
    const limited = limitNetworks(outbound, ["tcp", "udp"]);
    assert.deepEqual([limited.tag, limited.blocks], ["out", false]);
    assert.equal(await limited.dial(destination, options), opened);
    assert.ok(carriesPackets(limited));
    assert.equal(await limited.dialPackets(options), packets);
    assert.deepEqual(dialled, [[destination, options], [options]]);
  });

  it("has no way for packets without UDP", async () => {
    const { outbound } = createOutbound();
    const limited = limitNetworks(outbound, ["tcp"]);
    assert.equal(carriesPackets(limited), false);
    assert.equal(await limited.dial(destination), opened);
  });

  it("blocks connections without TCP, and dials nobody", async () => {
    const { outbound, dialled } = createOutbound();
    const limited = limitNetworks(outbound, ["udp"]);
    const message = "connect to example.com:443: the outbound out carries no TCP";
    await assert.rejects(limited.dial(destination, options), new DialError("blocked", message));
    assert.deepEqual(dialled, []);
    assert.ok(carriesPackets(limited));
    assert.equal(await limited.dialPackets(), packets);
  });
});
