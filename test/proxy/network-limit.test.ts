import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { limitNetworks } from "../../src/proxy/network-limit.js";
import {
  carriesConnections,
  carriesPackets,
  type DialingOutbound,
  type OutboundDialOptions,
  type PacketOutbound,
} from "../../src/proxy/outbound.js";
import { MemoryPackets } from "../helpers/memory-packets.js";

const destination = { host: "example.com", port: 443 };
const [connection] = createPipe();
const opened = { connection, boundTo: { host: "192.0.2.1", port: 1 } };
const packets = new MemoryPackets();

/** An outbound that carries both, and keeps how it is dialled. */
function createOutbound(): {
  readonly outbound: DialingOutbound & PacketOutbound;
  readonly dialled: unknown[];
} {
  const dialled: unknown[] = [];
  const outbound: DialingOutbound & PacketOutbound = {
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
    assert.ok(carriesConnections(limited));
    assert.equal(await limited.dial(destination, options), opened);
    assert.ok(carriesPackets(limited));
    assert.equal(await limited.dialPackets(options), packets);
    assert.deepEqual(dialled, [[destination, options], [options]]);
  });

  it("has no way for packets without UDP", async () => {
    const { outbound, dialled } = createOutbound();
    const limited = limitNetworks(outbound, ["tcp"]);
    assert.deepEqual([limited.tag, limited.blocks], ["out", false]);
    assert.equal(carriesPackets(limited), false);
    assert.ok(carriesConnections(limited));
    assert.equal(await limited.dial(destination, options), opened);
    assert.deepEqual(dialled, [[destination, options]]);
  });

  it("has no way for connections without TCP", async () => {
    const { outbound, dialled } = createOutbound();
    const limited = limitNetworks(outbound, ["udp"]);
    assert.deepEqual([limited.tag, limited.blocks], ["out", false]);
    assert.equal(carriesConnections(limited), false);
    assert.ok(carriesPackets(limited));
    assert.equal(await limited.dialPackets(options), packets);
    assert.deepEqual(dialled, [[options]]);
  });

  it("blocks all where it has neither", () => {
    assert.deepEqual(limitNetworks(createOutbound().outbound, []), { tag: "out", blocks: true });
  });
});
