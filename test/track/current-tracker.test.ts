import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { CounterStore } from "../../src/stats/counter-store.js";
import type { ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { CurrentTracker } from "../../src/track/current-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import { MemoryPackets } from "../helpers/memory-packets.js";

const metadata: ConnectionMetadata = {
  inbound: "in",
  outbound: "out",
  network: "tcp",
  source: { host: "127.0.0.1", port: 1 },
  destination: { host: "a.test", port: 2 },
  rule: "final",
};

describe("CurrentTracker", () => {
  it("shows each connection to the tracker that is the current one when it is routed", () => {
    const store = new CounterStore();
    const tracker = new CurrentTracker(new StatsTracker(store));
    const connection = new PassThrough();
    assert.equal(tracker.routedConnection(connection, metadata), connection);
    assert.equal(store.size, 0);

    tracker.replaceBy(new StatsTracker(store, { inbounds: ["in"] }));
    assert.notEqual(tracker.routedConnection(connection, metadata), connection);
    assert.equal(store.size, 2);
  });

  it("does so with packet connections, too", () => {
    const store = new CounterStore();
    const tracker = new CurrentTracker(new StatsTracker(store));
    const packets = new MemoryPackets();
    assert.equal(tracker.routedPacketConnection(packets, metadata), packets);
    tracker.replaceBy(new StatsTracker(store, { outbounds: ["out"] }));
    assert.notEqual(tracker.routedPacketConnection(packets, metadata), packets);
    assert.equal(store.size, 2);
  });

  it("says whom the current one would have told", () => {
    const store = new CounterStore();
    const tracker = new CurrentTracker(new StatsTracker(store));
    assert.deepEqual(tracker.routedSinks(metadata), { uplink: [], downlink: [] });
    tracker.replaceBy(new StatsTracker(store, { inbounds: ["in"] }));
    for (const sink of tracker.routedSinks(metadata).downlink) sink.add(7);
    assert.equal(store.get("inbound>>>in>>>traffic>>>downlink")?.value, 7n);
  });

  it("leaves a connection to whom it was shown", async () => {
    const store = new CounterStore();
    const tracker = new CurrentTracker(new StatsTracker(store, { inbounds: ["in"] }));
    const counted = tracker.routedConnection(new PassThrough(), metadata);
    tracker.replaceBy(new StatsTracker(store));
    counted.write("seven b");
    await once(counted, "readable");
    counted.read();
    assert.equal(store.get("inbound>>>in>>>traffic>>>uplink")?.value, 7n);
  });
});
