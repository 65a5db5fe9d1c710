import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PacketQueue } from "../../src/net/packet-queue.js";
import type { TestPacket } from "../helpers/memory-packets.js";

const here = { host: "192.0.2.1", port: 53 };
const mebibyte = 1024 * 1024;

function text({ payload }: TestPacket): string {
  return payload.toString();
}

/** What a queue hands over, from now on. */
function drained(queue: PacketQueue): TestPacket[] {
  const packets: TestPacket[] = [];
  queue.drainTo((payload, endpoint) => packets.push({ payload, endpoint }));
  return packets;
}

/** Pushes the packets; with whether each was kept. */
function pushAll(queue: PacketQueue, ...payloads: readonly (string | Buffer)[]): boolean[] {
  return payloads.map((payload) => queue.push(Buffer.from(payload), here));
}

describe("PacketQueue", () => {
  it("keeps packets with their endpoints, in order, until somebody takes them", () => {
    const queue = new PacketQueue();
    const packets = ["a", "", "b"].map((payload, index) => ({
      payload: Buffer.from(payload),
      endpoint: { host: "a.test", port: index },
    }));
    for (const { payload, endpoint } of packets) assert.equal(queue.push(payload, endpoint), true);
    assert.deepEqual(drained(queue), packets);
  });

  it("hands each packet over as it comes once somebody takes them", () => {
    const queue = new PacketQueue();
    const packets = drained(queue);
    assert.deepEqual(packets, []);
    assert.deepEqual(pushAll(queue, "a", "b"), [true, true]);
    assert.deepEqual(packets.map(text), ["a", "b"]);
  });

  it("hands what waits over before what comes then, and each packet once", () => {
    const queue = new PacketQueue();
    pushAll(queue, "a", "b");
    const packets = drained(queue);
    pushAll(queue, "c", "d");
    assert.deepEqual(packets.map(text), ["a", "b", "c", "d"]);
  });

  it("keeps 256 packets, of whatever length, and drops those behind them", () => {
    const queue = new PacketQueue();
    const texts = Array.from({ length: 258 }, (_, index) => (index % 2 === 0 ? "" : String(index)));
    const kept = pushAll(queue, ...texts);
    assert.deepEqual(kept, [...Array<boolean>(256).fill(true), false, false]);
    assert.deepEqual(drained(queue).map(text), texts.slice(0, 256));
  });

  it("keeps 1 MiB, and drops what goes beyond it", () => {
    const queue = new PacketQueue();
    const [half, rest] = [Buffer.alloc(mebibyte / 2, "h"), Buffer.alloc(mebibyte / 2 - 1, "r")];
    assert.deepEqual(pushAll(queue, half, rest), [true, true]);
    assert.deepEqual(pushAll(queue, "12", "1", "2", ""), [false, true, false, true]);
    assert.deepEqual(
      drained(queue).map(({ payload }) => payload.length),
      [half.length, rest.length, 1, 0],
    );
  });

  it("has no bound once somebody takes the packets", () => {
    const queue = new PacketQueue();
    pushAll(queue, ...Array<Buffer>(16).fill(Buffer.alloc(65_536)));
    const packets = drained(queue);
    for (let count = 0; count < 300; count++) pushAll(queue, Buffer.alloc(65_536));
    assert.equal(packets.length, 316);
  });

  it("keeps the order when a packet comes while it hands those over that waited", () => {
    const queue = new PacketQueue();
    pushAll(queue, "a", "b", "c");
    const order: string[] = [];
    queue.drainTo((payload) => {
      order.push(payload.toString());
      if (payload.toString() === "a") assert.deepEqual(pushAll(queue, "d", "e"), [true, true]);
      if (payload.toString() === "d") assert.deepEqual(pushAll(queue, "f"), [true]);
    });
    assert.deepEqual(order, ["a", "b", "c", "d", "e", "f"]);
    pushAll(queue, "g");
    assert.equal(order.at(-1), "g");
  });

  it("has room for what comes while it hands over, as far as it has handed over", () => {
    const queue = new PacketQueue();
    const [big, small] = [Buffer.alloc(mebibyte - 255, "b"), Buffer.alloc(1, "s")];
    pushAll(queue, big, ...Array<Buffer>(255).fill(small));
    let count = 0;
    const taken: boolean[] = [];
    queue.drainTo(() => {
      count++;
      if (count === 1) taken.push(...pushAll(queue, big, small));
    });
    assert.deepEqual(taken, [true, false]);
    assert.equal(count, 257);
  });
});
