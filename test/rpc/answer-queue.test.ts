import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AnswerQueue } from "../../src/rpc/answer-queue.js";

/** A queue whose answers have names, the names of those that were cut off, and a clock that only the test sets. */
function createQueue(maxBytes: number) {
  let nowMs = 1_000_000;
  const queue = new AnswerQueue(maxBytes, { stalledAfterMs: 100, now: () => nowMs });
  const cut: string[] = [];
  /** Without a connection it is on one of its own, and without a holder nobody else's. */
  const add = (name: string, bytes: number, { connection = {}, holder = name } = {}) =>
    queue.add(bytes, {
      ...{ connection, holder },
      cut: () => {
        cut.push(name);
      },
    });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { queue, cut, add, pass };
}

describe("AnswerQueue", () => {
  it("counts what waits until it does no more, once", () => {
    const { queue, cut, add } = createQueue(10);
    const first = add("a", 4);
    const second = add("b", 5);
    assert.equal(queue.bytes, 9);
    first.release();
    first.release();
    assert.equal(queue.bytes, 5);
    second.release();
    assert.equal(queue.bytes, 0);
    assert.deepEqual(cut, []);
  });

  it("counts who has read nothing for fifteen seconds as one who has stopped to, by default", () => {
    let nowMs = 1_000_000;
    const queue = new AnswerQueue(10, { now: () => nowMs });
    const cut: number[] = [];
    const add = () => queue.add(8, { connection: {}, holder: {}, cut: () => cut.push(nowMs) });
    add();
    nowMs += 14_999;
    add();
    assert.deepEqual(cut, []);
    nowMs += 1;
    add();
    assert.deepEqual(cut, [1_015_000]);
  });

  it("cuts off nobody who was given less than the time to read", () => {
    const { queue, cut, add, pass } = createQueue(10);
    add("a", 4);
    add("b", 4);
    pass(99);
    add("c", 4);
    assert.deepEqual(cut, []);
    assert.equal(queue.bytes, 12);
  });

  it("cuts off those who have stopped to read, for one that is too much, and no more of them than needed", () => {
    const { queue, cut, add, pass } = createQueue(10);
    const first = add("a", 4);
    add("b", 4);
    add("c", 2);
    pass(1);
    first.touch();
    pass(100);
    add("d", 3);
    assert.deepEqual(cut, ["b"]);
    add("e", 5);
    assert.deepEqual(cut, ["b", "c", "a"]);
    assert.equal(queue.bytes, 8);
  });

  it("spares those who read", () => {
    const { cut, add, pass } = createQueue(10);
    const first = add("a", 4);
    add("b", 4);
    pass(60);
    first.touch();
    pass(60);
    add("c", 4);
    add("d", 4);
    assert.deepEqual(cut, ["b"]);
  });

  it("spares those who read another answer first, on the same connection", () => {
    const { cut, add, pass } = createQueue(10);
    const connection = {};
    const first = add("a", 4, { connection });
    add("b", 4, { connection });
    pass(100);
    first.touch();
    first.release();
    add("c", 10);
    assert.deepEqual(cut, []);
  });

  it("gives one no more time for another that comes after it on the same connection", () => {
    const { cut, add, pass } = createQueue(10);
    const connection = {};
    add("a", 4, { connection });
    pass(100);
    add("b", 4, { connection });
    add("c", 6);
    assert.deepEqual(cut, ["a"]);
  });

  it("cuts off nobody for one that is larger than all may be together", () => {
    const { queue, cut, add, pass } = createQueue(10);
    add("a", 4);
    pass(1_000);
    add("b", 11);
    assert.deepEqual(cut, []);
    assert.equal(queue.bytes, 15);
  });

  it("has room until as much waits as may, and again when it was read", () => {
    const { queue, cut, add } = createQueue(10);
    const first = add("a", 4);
    add("b", 5);
    assert.equal(queue.hasRoomFor("c"), true);
    add("c", 4);
    assert.equal(queue.hasRoomFor("d"), false);
    first.release();
    assert.equal(queue.hasRoomFor("d"), true);
    assert.deepEqual(cut, []);
  });

  it("makes room of those who have stopped to read, and of no more than needed", () => {
    const { queue, cut, add, pass } = createQueue(10);
    for (const name of ["a", "b", "c"]) add(name, 4);
    pass(100);
    assert.equal(queue.hasRoomFor("d"), true);
    assert.deepEqual(cut, ["a"]);
  });

  it("has half of the room for one holder, and makes it of nobody else's", () => {
    const { queue, cut, add, pass } = createQueue(10);
    add("a", 1);
    add("b1", 3, { holder: "b" });
    pass(1);
    add("b2", 2, { holder: "b" });
    assert.deepEqual([queue.hasRoomFor("b"), queue.hasRoomFor("c")], [false, true]);
    pass(99);
    assert.equal(queue.hasRoomFor("b"), true);
    assert.deepEqual(cut, ["b1"]);
  });
});
