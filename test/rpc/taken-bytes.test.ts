import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TakenBytes } from "../../src/rpc/taken-bytes.js";
import { CounterSlab, placesPerSlab } from "../../src/stats/counter-slab.js";
import { Int64 } from "../../src/stats/int64.js";

/** A slab with counters at its first places. */
function slabOf(...values: readonly number[]): CounterSlab {
  const slab = new CounterSlab();
  for (const [index, value] of values.entries()) {
    const first = slab.addSubject({ scope: "user", tag: `u${index}` });
    slab.createCounter(first, "uplink").add(value);
  }
  return slab;
}

const value = new Int64();

function valueAt(slab: CounterSlab, place: number): bigint {
  return slab.counterAt(place).value;
}

/** The place of a subject's first counter. */
const placeOf = (subject: number): number => 2 * subject;

describe("TakenBytes", () => {
  it("takes what a counter has, and gives it back beside what was counted since", () => {
    const slab = slabOf(5, 7);
    const taken = new TakenBytes();
    taken.reset(slab, placeOf(1), value);
    assert.equal(value.value, 7n);
    assert.deepEqual([valueAt(slab, placeOf(0)), valueAt(slab, placeOf(1))], [5n, 0n]);
    slab.counterAt(placeOf(1)).add(3);
    taken.giveBack();
    assert.deepEqual([valueAt(slab, placeOf(0)), valueAt(slab, placeOf(1))], [5n, 10n]);
  });

  it("gives back once", () => {
    const slab = slabOf(5);
    const taken = new TakenBytes();
    taken.reset(slab, 0, value);
    taken.giveBack();
    taken.giveBack();
    assert.equal(valueAt(slab, 0), 5n);
  });

  it("is empty before anything was taken, after counters that had nothing, and when all is given back", () => {
    const slab = slabOf(0, 5);
    const taken = new TakenBytes();
    assert.equal(taken.isEmpty, true);
    taken.reset(slab, placeOf(0), value);
    assert.equal(taken.isEmpty, true);
    taken.reset(slab, placeOf(1), value);
    assert.equal(taken.isEmpty, false);
    taken.giveBack();
    assert.equal(taken.isEmpty, true);
  });

  it("keeps slabs apart", () => {
    const [one, other] = [slabOf(5), slabOf(9)];
    const taken = new TakenBytes();
    taken.reset(one, 0, value);
    taken.reset(other, 0, value);
    taken.giveBack();
    assert.deepEqual([valueAt(one, 0), valueAt(other, 0)], [5n, 9n]);
  });

  it("gives back all of a slab that is full", () => {
    const values = Array.from({ length: placesPerSlab / 2 }, (_, index) => 1 + (index % 7));
    const slab = slabOf(...values);
    const taken = new TakenBytes();
    for (const subject of values.keys()) taken.reset(slab, placeOf(subject), value);
    assert.ok(values.every((_, subject) => valueAt(slab, placeOf(subject)) === 0n));
    taken.giveBack();
    assert.deepEqual(
      Array.from(values.keys(), (subject) => valueAt(slab, placeOf(subject))),
      values.map(BigInt),
    );
  });

  it("holds little where little was taken, of however many slabs", () => {
    const slabs = Array.from({ length: 8 }, () => slabOf(100));
    const before = process.memoryUsage().arrayBuffers;
    const calls = Array.from({ length: 200 }, () => {
      const taken = new TakenBytes();
      for (const slab of slabs) {
        slab.counterAt(0).add(1);
        taken.reset(slab, 0, value);
      }
      return taken;
    });
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < calls.length * slabs.length * 1_024, `${held} bytes for ${calls.length} calls`);
  });
});
