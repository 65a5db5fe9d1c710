import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AnswerQueue } from "../../src/rpc/answer-queue.js";

/** A queue whose answers have names, and the names of those that were cut off. */
function createQueue(maxBytes: number) {
  const queue = new AnswerQueue(maxBytes);
  const cut: string[] = [];
  const add = (name: string, bytes: number) =>
    queue.add(bytes, () => {
      cut.push(name);
    });
  return { queue, cut, add };
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

  it("takes as much as may be, and cuts nothing off for it", () => {
    const { cut, add } = createQueue(10);
    add("a", 4);
    add("b", 6);
    assert.deepEqual(cut, []);
  });

  it("cuts off the first for one that is too much, and no more than needed", () => {
    const { queue, cut, add } = createQueue(10);
    add("a", 4);
    add("b", 4);
    add("c", 2);
    add("d", 5);
    assert.deepEqual(cut, ["a", "b"]);
    assert.equal(queue.bytes, 7);
  });

  it("spares those of which something was read", () => {
    const { cut, add } = createQueue(10);
    const first = add("a", 4);
    add("b", 4);
    first.touch();
    add("c", 4);
    assert.deepEqual(cut, ["b"]);
  });

  it("lets one that is larger than all may be together wait alone", () => {
    const { queue, cut, add } = createQueue(10);
    const first = add("a", 4);
    add("b", 40);
    assert.deepEqual(cut, ["a"]);
    assert.equal(queue.bytes, 40);
    first.touch();
    first.release();
    assert.equal(queue.bytes, 40);
  });
});
