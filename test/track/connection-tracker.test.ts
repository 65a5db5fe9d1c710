import assert from "node:assert/strict";
import { type Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import {
  chainTrackers,
  type ConnectionMetadata,
  type ConnectionTracker,
} from "../../src/track/connection-tracker.js";
import { MemoryPackets } from "../helpers/memory-packets.js";

const metadata: ConnectionMetadata = {
  inbound: "in",
  outbound: "out",
  network: "tcp",
  source: { host: "127.0.0.1", port: 1 },
  destination: { host: "a.test", port: 2 },
  rule: "final",
};

/** Notes what it was given, and returns a new connection for it. */
class Recorder implements ConnectionTracker {
  readonly given: unknown[] = [];
  readonly returned = new PassThrough();
  readonly returnedPackets = new MemoryPackets();

  routedConnection<C extends Duplex>(connection: C, facts: ConnectionMetadata): C {
    this.given.push(connection, facts);
    return this.returned as Duplex as C;
  }

  routedPacketConnection(connection: PacketConnection, facts: ConnectionMetadata): PacketConnection {
    this.given.push(connection, facts);
    return this.returnedPackets;
  }
}

describe("chainTrackers", () => {
  it("gives each tracker what the one before returned", () => {
    const trackers = [new Recorder(), new Recorder(), new Recorder()];
    const connection = new PassThrough();
    const result = chainTrackers(trackers).routedConnection(connection, metadata);
    assert.equal(result, trackers[2]?.returned);
    assert.deepEqual(
      trackers.map(({ given }) => given[0]),
      [connection, trackers[0]?.returned, trackers[1]?.returned],
    );
    assert.ok(trackers.every(({ given }) => given[1] === metadata && given.length === 2));
  });

  it("does so with packet connections, too", () => {
    const trackers = [new Recorder(), new Recorder()];
    const connection = new MemoryPackets();
    const result = chainTrackers(trackers).routedPacketConnection(connection, metadata);
    assert.equal(result, trackers[1]?.returnedPackets);
    assert.deepEqual(
      trackers.map(({ given }) => given),
      [
        [connection, metadata],
        [trackers[0]?.returnedPackets, metadata],
      ],
    );
  });

  it("returns the connection itself when there is no tracker", () => {
    const connection = new PassThrough();
    const packets = new MemoryPackets();
    assert.equal(chainTrackers([]).routedConnection(connection, metadata), connection);
    assert.equal(chainTrackers([]).routedPacketConnection(packets, metadata), packets);
  });
});
