import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Counter, slotsPerCounter } from "../../src/stats/counter.js";
import { createRandom } from "../helpers/random.js";

const maxSafe = Number.MAX_SAFE_INTEGER;
const maxInt64 = 2n ** 63n - 1n;

describe("Counter", () => {
  it("begins at zero", () => {
    const counter = new Counter();
    assert.equal(counter.value, 0n);
    assert.equal(counter.total, 0n);
    assert.equal(counter.reset(), 0n);
  });

  it("adds up", () => {
    const counter = new Counter();
    for (const bytes of [1, 0, 65_536, 2 ** 31, 2 ** 32]) counter.add(bytes);
    assert.equal(counter.value, 1n + 65_536n + 2n ** 31n + 2n ** 32n);
    assert.equal(counter.total, counter.value);
  });

  it("is exact where a number is not any more", () => {
    const counter = new Counter();
    counter.add(maxSafe);
    counter.add(1);
    counter.add(1);
    assert.equal(counter.value, 2n ** 53n + 1n);
    counter.add(1);
    assert.equal(counter.value, 2n ** 53n + 2n);
  });

  it("is exact up to the end of int64", () => {
    const slots = BigInt64Array.of(maxInt64 - 10n, 0n);
    const counter = new Counter(slots);
    counter.add(9);
    assert.equal(counter.total, maxInt64 - 1n);
    counter.add(1);
    assert.equal(counter.value, maxInt64);
    assert.equal(counter.reset(), maxInt64);
    assert.equal(counter.value, 0n);
    counter.giveBack(maxInt64);
    assert.equal(counter.value, maxInt64);
  });

  it("returns the value and makes it zero in one step", () => {
    const counter = new Counter();
    counter.add(7);
    assert.equal(counter.reset(), 7n);
    assert.equal(counter.value, 0n);
    assert.equal(counter.reset(), 0n);
    counter.add(5);
    assert.equal(counter.value, 5n);
    assert.equal(counter.reset(), 5n);
  });

  it("keeps its total over resets", () => {
    const counter = new Counter();
    counter.add(7);
    counter.reset();
    assert.equal(counter.total, 7n);
    counter.add(5);
    counter.reset();
    assert.equal(counter.total, 12n);
  });

  it("has bytes again that are given back, without counting them twice in the total", () => {
    const counter = new Counter();
    counter.add(7);
    counter.giveBack(counter.reset());
    assert.equal(counter.value, 7n);
    assert.equal(counter.total, 7n);
    assert.equal(counter.reset(), 7n);
  });

  it("lets what came between a reset and its giving back stand", () => {
    const counter = new Counter();
    counter.add(100);
    const lost = counter.reset();
    counter.add(20);
    const received = counter.reset();
    counter.add(3);
    counter.giveBack(lost);
    assert.equal(received, 20n);
    assert.equal(counter.value, 103n);
    assert.equal(counter.total, 123n);
  });

  it("takes two resets back in either order", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const counter = new Counter();
      counter.add(40);
      const first = counter.reset();
      counter.add(2);
      const second = counter.reset();
      for (const index of order) counter.giveBack([first, second][index] ?? -1n);
      assert.equal(counter.value, 42n);
    }
  });

  it("takes part of a reset back", () => {
    const counter = new Counter();
    counter.add(10);
    counter.reset();
    counter.giveBack(0n);
    counter.giveBack(4n);
    assert.equal(counter.value, 4n);
    assert.throws(() => {
      counter.giveBack(7n);
    }, RangeError);
    assert.equal(counter.value, 4n);
  });

  const badBytes = [-1, -0.5, 0.5, 1.5, NaN, Infinity, -Infinity, maxSafe + 1, 2 ** 63];
  for (const bytes of badBytes) {
    it(`refuses to add ${bytes} bytes and stays as it was`, () => {
      const counter = new Counter();
      counter.add(3);
      assert.throws(() => {
        counter.add(bytes);
      }, RangeError);
      assert.equal(counter.total, 3n);
    });
  }

  for (const bytes of [-1n, 1n, 2n ** 64n]) {
    it(`refuses to take ${bytes} bytes back of which none was reset`, () => {
      const counter = new Counter();
      counter.add(3);
      assert.throws(
        () => {
          counter.giveBack(bytes);
        },
        { name: "RangeError", message: `cannot give back ${bytes} bytes: 0 were reset` },
      );
      assert.equal(counter.value, 3n);
    });
  }

  it("leaves its neighbours in the array alone", () => {
    const slots = new BigInt64Array(3 * slotsPerCounter);
    const counters = [0, 1, 2].map((place) => new Counter(slots, place * slotsPerCounter));
    const [left, middle, right] = counters;
    assert.ok(left !== undefined && middle !== undefined && right !== undefined);
    left.add(1);
    middle.add(10);
    right.add(100);
    assert.deepEqual(
      counters.map(({ value }) => value),
      [1n, 10n, 100n],
    );
    assert.equal(middle.reset(), 10n);
    assert.deepEqual(
      counters.map(({ value }) => value),
      [1n, 0n, 100n],
    );
    middle.giveBack(10n);
    assert.deepEqual(
      counters.map(({ total, value }) => [total, value]),
      [
        [1n, 1n],
        [10n, 10n],
        [100n, 100n],
      ],
    );
  });

  for (const index of [-1, 3, 4, 0.5, NaN]) {
    it(`refuses slot ${index} of an array of four`, () => {
      assert.throws(() => new Counter(new BigInt64Array(2 * slotsPerCounter), index), RangeError);
    });
  }

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`agrees with arithmetic over any order of operations (seed ${seed})`, () => {
      const random = createRandom(seed);
      const counter = new Counter();
      let total = 0n;
      let baseline = 0n;
      const unanswered: bigint[] = [];
      const operations = {
        add: () => {
          const bytes = random.pick([
            0,
            1,
            1460,
            65_536,
            random.below(2 ** 31),
            2 ** 48 + random.below(1000),
          ]);
          counter.add(bytes);
          total += BigInt(bytes);
        },
        reset: () => {
          assert.equal(counter.reset(), total - baseline);
          baseline = total;
        },
        resetAndLoseTheAnswer: () => {
          unanswered.push(counter.reset());
          baseline = total;
        },
        giveBack: () => {
          const [bytes = 0n] = unanswered.splice(random.below(unanswered.length + 1), 1);
          counter.giveBack(bytes);
          baseline -= bytes;
        },
      };
      const names = ["add", "add", "reset", "resetAndLoseTheAnswer", "giveBack"] as const;
      let lastTotal = 0n;
      for (let step = 0; step < 2000; step++) {
        operations[random.pick([...names])]();
        assert.equal(counter.total, total);
        assert.equal(counter.value, total - baseline);
        assert.ok(counter.total >= lastTotal, "the total fell");
        lastTotal = counter.total;
      }
      assert.ok(total > 2n ** 53n, "the sequence went beyond 2^53");
    });
  }
});
