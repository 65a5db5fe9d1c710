import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countPacketConnection } from "../../src/net/counting-packet-connection.js";
import { MemoryPackets, type TestPacket } from "../helpers/memory-packets.js";
import { createTallies, type Tallies } from "../helpers/tally.js";
import { turns } from "../helpers/timing.js";

const here = { host: "192.0.2.1", port: 53 };
const there = { host: "a.test", port: 443 };

/** What both tallies hold. */
function counted({ up, down }: Tallies): readonly [up: number, down: number] {
  return [up.bytes, down.bytes];
}

describe("countPacketConnection", () => {
  it("counts payload as uplink when it is received, before it is handed on", () => {
    const inner = new MemoryPackets();
    const tallies = createTallies();
    const seen: (readonly [packet: TestPacket, counted: unknown])[] = [];
    countPacketConnection(inner, tallies.sinks).receive((payload, endpoint) => {
      seen.push([{ payload, endpoint }, counted(tallies)]);
    });
    inner.deliver("12345", here);
    inner.deliver("123", there);
    assert.deepEqual(seen, [
      [{ payload: Buffer.from("12345"), endpoint: here }, [5, 0]],
      [{ payload: Buffer.from("123"), endpoint: there }, [8, 0]],
    ]);
  });

  it("counts payload as downlink when it is sent, before the sender is told", () => {
    const inner = new MemoryPackets();
    const tallies = createTallies();
    const wrapper = countPacketConnection(inner, tallies.sinks);
    const told: unknown[] = [];
    wrapper.send(Buffer.from("12345"), here, (error) => told.push(error, counted(tallies)));
    wrapper.send(Buffer.from("123"), there, (error) => told.push(error, counted(tallies)));
    assert.deepEqual(told, [undefined, [0, 5], undefined, [0, 8]]);
    assert.deepEqual(inner.sent, [
      { payload: Buffer.from("12345"), endpoint: here },
      { payload: Buffer.from("123"), endpoint: there },
    ]);
  });

  it("counts what nobody asks about", () => {
    const inner = new MemoryPackets();
    const tallies = createTallies();
    countPacketConnection(inner, tallies.sinks).send(Buffer.from("12345"), here);
    assert.deepEqual(counted(tallies), [0, 5]);
  });

  it("counts nothing of what is dropped, and tells the sender why", () => {
    const inner = new MemoryPackets();
    inner.failure = new Error("no buffer space");
    const tallies = createTallies();
    const wrapper = countPacketConnection(inner, tallies.sinks);
    const told: unknown[] = [];
    wrapper.send(Buffer.from("12345"), here, (error) => told.push(error));
    wrapper.send(Buffer.from("12345"), here);
    const { failure } = inner;
    inner.failure = undefined;
    wrapper.send(Buffer.from("123"), here, (error) => told.push(error));
    assert.deepEqual(told, [failure, undefined]);
    assert.deepEqual(tallies.down.steps, [3]);
    assert.deepEqual(tallies.up.steps, []);
  });

  it("counts a packet only when it is known to be sent", () => {
    const inner = new MemoryPackets();
    const tallies = createTallies();
    let onSent: ((error?: Error) => void) | undefined;
    inner.send = (_payload, _endpoint, callback) => (onSent = callback);
    countPacketConnection(inner, tallies.sinks).send(Buffer.from("12345"), here);
    assert.deepEqual(counted(tallies), [0, 0]);
    onSent?.();
    assert.deepEqual(counted(tallies), [0, 5]);
  });

  it("passes empty packets on, which count nothing", () => {
    const inner = new MemoryPackets();
    const tallies = createTallies();
    const wrapper = countPacketConnection(inner, tallies.sinks);
    const received: TestPacket[] = [];
    wrapper.receive((payload, endpoint) => received.push({ payload, endpoint }));
    inner.deliver("", here);
    wrapper.send(Buffer.alloc(0), there);
    assert.deepEqual(received, [{ payload: Buffer.alloc(0), endpoint: here }]);
    assert.deepEqual(inner.sent, [{ payload: Buffer.alloc(0), endpoint: there }]);
    assert.deepEqual(counted(tallies), [0, 0]);
  });

  it("tells every sink of its direction", () => {
    const inner = new MemoryPackets();
    const [first, second] = [createTallies(), createTallies()];
    const wrapper = countPacketConnection(inner, {
      uplink: [first.up, second.up],
      downlink: [first.down, second.down],
    });
    wrapper.receive(() => undefined);
    inner.deliver("12345", here);
    wrapper.send(Buffer.from("123"), there);
    assert.deepEqual([first, second].map(counted), [
      [5, 3],
      [5, 3],
    ]);
  });

  it("counts alike for both when it is stacked", () => {
    const inner = new MemoryPackets();
    const [first, second] = [createTallies(), createTallies()];
    const wrapper = countPacketConnection(countPacketConnection(inner, first.sinks), second.sinks);
    const received: string[] = [];
    wrapper.receive((payload) => received.push(payload.toString()));
    inner.deliver("12345", here);
    wrapper.send(Buffer.from("123"), there);
    inner.failure = new Error("dropped");
    wrapper.send(Buffer.from("1"), there);
    assert.deepEqual(received, ["12345"]);
    assert.deepEqual([first, second].map(counted), [
      [5, 3],
      [5, 3],
    ]);
  });

  it("does not receive before it is told to", () => {
    const inner = new MemoryPackets();
    const wrapper = countPacketConnection(inner, createTallies().sinks);
    assert.equal(inner.isReceived, false);
    wrapper.receive(() => undefined);
    assert.equal(inner.isReceived, true);
  });

  it("ends with what it wraps", async () => {
    const inner = new MemoryPackets();
    const wrapper = countPacketConnection(inner, createTallies().sinks);
    let isClosed = false;
    const closing = wrapper.closed.then(() => (isClosed = true));
    await turns(2);
    assert.equal(isClosed, false);
    inner.close();
    await closing;
  });

  it("ends what it wraps", async () => {
    const inner = new MemoryPackets();
    const wrapper = countPacketConnection(inner, createTallies().sinks);
    wrapper.close();
    wrapper.close();
    await inner.closed;
    await wrapper.closed;
  });
});
