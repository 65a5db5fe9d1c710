import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DescriptorHeadroom } from "../../src/net/descriptor-headroom.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

/** A process with so many free descriptors, whose clock stands still. */
class FakeProcess {
  free: number;
  nowMs = 1_000;
  counts = 0;
  readonly logger = new RecordingLogger();
  readonly headroom = new DescriptorHeadroom({
    countFree: (most) => {
      this.counts += 1;
      return Math.min(most, this.free);
    },
    now: () => this.nowMs,
    logger: this.logger,
  });

  constructor(free: number) {
    this.free = free;
  }

  /** Whether there is room, asked so often. */
  ask(times: number): boolean[] {
    return Array.from({ length: times }, this.headroom.hasRoom);
  }

  /** How many connections find room, each of which takes two descriptors, before one does not. */
  fill(): number {
    let count = 0;
    for (; this.headroom.hasRoom(); count++) this.free -= 2;
    return count;
  }

  get levels(): string[] {
    return this.logger.lines.map(({ level }) => level);
  }
}

const eightTimes = Array<boolean>(8).fill(true);

describe("DescriptorHeadroom", () => {
  it("finds room in a process that has it, and says nothing", () => {
    const fake = new FakeProcess(10_000);
    assert.deepEqual(fake.ask(8), eightTimes);
    assert.deepEqual(fake.levels, []);
  });

  it("does not count at every answer", () => {
    const fake = new FakeProcess(10_000);
    fake.ask(80);
    // Once more at first, for what there is.
    assert.equal(fake.counts, 11);
  });

  it("counts seldom while connections close as others come, and no less than after 64 of them", () => {
    const fake = new FakeProcess(10_000);
    fake.ask(1);
    const before = fake.counts;
    for (let connection = 0; connection < 640; connection++) {
      fake.ask(1);
      fake.headroom.release();
    }
    assert.equal(fake.counts, before + 10);
  });

  it("is not good for more connections, however many close", () => {
    const fake = new FakeProcess(10_000);
    fake.ask(1);
    for (let connection = 0; connection < 100; connection++) fake.headroom.release();
    fake.fill();
    assert.ok(fake.free >= 32 - 2 * 8 && fake.free <= 32, `${fake.free} are left`);
  });

  it("leaves descriptors to the connections that are open", () => {
    const fake = new FakeProcess(10_000);
    fake.fill();
    assert.ok(fake.free >= 32 - 2 * 8 && fake.free <= 32, `${fake.free} are left`);
  });

  for (const free of [1, 2, 3, 10, 40, 64, 100]) {
    it(`lets connections in where no more than ${free} descriptors are free at the start`, () => {
      const fake = new FakeProcess(free);
      assert.ok(fake.fill() > 0);
      fake.free = free;
      fake.nowMs += 250;
      // Whoever has but one cannot be asked for more.
      assert.equal(fake.headroom.hasRoom(), free > 1);
    });
  }

  it("says once that it is short, and once that it is no more", () => {
    const fake = new FakeProcess(64);
    fake.free = 64;
    fake.fill();
    fake.ask(5);
    fake.nowMs += 300;
    fake.ask(5);
    fake.free = 64;
    fake.nowMs += 300;
    fake.ask(5);
    assert.deepEqual(
      fake.logger.lines.map(({ level, message }) => `${level} ${message}`),
      [
        "warn refusing connections: fewer than 32 file descriptors are left (raise ulimit -n)",
        "info accepting connections again: there are file descriptors",
      ],
    );
  });

  it("wants half as many more before it takes connections again", () => {
    const fake = new FakeProcess(64);
    fake.fill();
    const roomWith = (free: number): boolean => {
      fake.free = free;
      fake.nowMs += 250;
      return fake.headroom.hasRoom();
    };
    assert.deepEqual([32, 47, 48].map(roomWith), [false, false, true]);
  });

  it("counts four times a second while it is short, however often it is asked", () => {
    const fake = new FakeProcess(64);
    fake.fill();
    const before = fake.counts;
    fake.free = 64;
    fake.nowMs += 249;
    assert.deepEqual(fake.ask(3), [false, false, false]);
    assert.equal(fake.counts, before);
    fake.nowMs += 1;
    assert.deepEqual(fake.ask(1), [true]);
    assert.equal(fake.counts, before + 1);
  });

  it("finds room in this process, and leaves nothing open", () => {
    const logger = new RecordingLogger();
    const { hasRoom } = new DescriptorHeadroom({ logger });
    assert.deepEqual(Array.from({ length: 8 }, hasRoom), eightTimes);
    assert.deepEqual(logger.lines, []);
  });
});
