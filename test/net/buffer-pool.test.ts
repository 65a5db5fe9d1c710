import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool } from "../../src/net/buffer-pool.js";

function take(pool: BufferPool): Buffer {
  const buffer = pool.take();
  assert.ok(buffer !== undefined);
  return buffer;
}

describe("BufferPool", () => {
  it("lends buffers of its size, as many as there may be", () => {
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 2 });
    const buffers = [take(pool), take(pool)];
    assert.deepEqual(
      buffers.map(({ length }) => length),
      [100, 100],
    );
    assert.notEqual(buffers[0], buffers[1]);
    assert.equal(pool.take(), undefined);
    assert.equal(pool.lentCount, 2);
  });

  it("makes none before it is asked", () => {
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 2 });
    assert.deepEqual([pool.lentCount, pool.freeCount], [0, 0]);
  });

  it("lends again what it was given back, the last one first", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 2 });
    const [first, second] = [take(pool), take(pool)];
    pool.give(first);
    pool.give(second);
    assert.deepEqual([pool.lentCount, pool.freeCount], [0, 2]);
    assert.equal(pool.take(), second);
    assert.equal(pool.take(), first);
    assert.equal(pool.take(), undefined);
  });

  it("lends nothing where there is none", () => {
    assert.equal(new BufferPool({ bufferBytes: 100, maxCount: 0 }).take(), undefined);
  });

  it("lends another one in the place of one that is written off, as many as there may be", () => {
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 2 });
    const buffers = [take(pool), take(pool)];
    assert.deepEqual([pool.writeOff(), pool.writeOff()], [true, true]);
    assert.deepEqual([pool.lentCount, pool.writtenOffCount], [0, 2]);
    buffers.push(take(pool), take(pool));
    assert.equal(new Set(buffers).size, 4);
    assert.equal(pool.take(), undefined);
    assert.equal(pool.writeOff(), false);
    assert.deepEqual([pool.lentCount, pool.writtenOffCount], [2, 2]);
  });

  it("keeps nothing of what was written off", () => {
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 1 });
    take(pool);
    pool.writeOff();
    pool.forget();
    assert.deepEqual([pool.lentCount, pool.writtenOffCount, pool.freeCount], [0, 0, 0]);
    take(pool);
    assert.equal(pool.writeOff(), true);
  });

  it("drops what nobody needed for its time", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 3, keepMs: 1_000 });
    const [first, second, third] = [take(pool), take(pool), take(pool)];
    for (const buffer of [first, second, third]) pool.give(buffer);
    // Two of them are needed at once, now and then.
    for (let round = 0; round < 3; round++) {
      t.mock.timers.tick(999);
      const needed = [take(pool), take(pool)];
      for (const buffer of needed) pool.give(buffer);
      t.mock.timers.tick(1);
    }
    assert.equal(pool.freeCount, 2);
    t.mock.timers.tick(1_000);
    t.mock.timers.tick(1_000);
    assert.equal(pool.freeCount, 0);
    assert.notEqual(take(pool), first);
  });

  it("keeps no process alive", () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const pool = new BufferPool({ bufferBytes: 100, maxCount: 1 });
    pool.give(take(pool));
    const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    assert.equal(after, before);
  });
});
