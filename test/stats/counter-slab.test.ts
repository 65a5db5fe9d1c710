import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CounterSlab, placesPerSlab } from "../../src/stats/counter-slab.js";
import { Int64 } from "../../src/stats/int64.js";
import { CounterStore, slabsOf } from "../../src/stats/counter-store.js";
import type { Counter } from "../../src/stats/counter.js";

const alice = { scope: "user", tag: "alice" } as const;
const bob = { scope: "user", tag: "bob" } as const;

/** A slab that has no room for another subject. */
function fullSlab(tagOf: (index: number) => string): CounterSlab {
  const slab = new CounterSlab();
  for (let index = 0; !slab.isFull; index++) slab.addSubject({ scope: "user", tag: tagOf(index) });
  return slab;
}

function valueAt(slab: CounterSlab, place: number): bigint {
  const value = new Int64();
  slab.readAt(place, value);
  return value.value;
}

function resetAt(slab: CounterSlab, place: number): bigint {
  const value = new Int64();
  slab.resetAt(place, value);
  return value.value;
}

describe("CounterSlab", () => {
  it("is empty at first", () => {
    const slab = new CounterSlab();
    assert.equal(slab.length, 0);
    assert.equal(slab.isFull, false);
    assert.equal(slab.nameStart(0), 0);
  });

  it("gives a subject a place for each direction, uplink first, and counts at none of them", () => {
    const slab = new CounterSlab();
    assert.equal(slab.addSubject(alice), 0);
    assert.equal(slab.addSubject(bob), 2);
    assert.equal(slab.length, 4);
    assert.deepEqual(
      [0, 1, 2, 3].map((place) => slab.nameAt(place)),
      [
        "user>>>alice>>>traffic>>>uplink",
        "user>>>alice>>>traffic>>>downlink",
        "user>>>bob>>>traffic>>>uplink",
        "user>>>bob>>>traffic>>>downlink",
      ],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((place) => slab.isCounted(place)),
      [false, false, false, false],
    );
  });

  it("counts at the place of the direction that was asked for, and at no other", () => {
    const slab = new CounterSlab();
    slab.addSubject(alice);
    const first = slab.addSubject(bob);
    slab.createCounter(first, "downlink").add(5);
    assert.deepEqual(
      [0, 1, 2, 3].map((place) => slab.isCounted(place)),
      [false, false, false, true],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((place) => valueAt(slab, place)),
      [0n, 0n, 0n, 5n],
    );
  });

  it("reads and resets what its counters count", () => {
    const slab = new CounterSlab();
    const counter = slab.createCounter(slab.addSubject(alice), "uplink");
    counter.add(7);
    const other = slab.counterAt(0);
    other.add(3);
    assert.equal(valueAt(slab, 0), 10n);
    assert.equal(resetAt(slab, 0), 10n);
    assert.equal(resetAt(slab, 0), 0n);
    assert.equal(counter.value, 0n);
    assert.equal(counter.total, 10n);
    other.giveBack(4n);
    assert.equal(valueAt(slab, 0), 4n);
  });

  it("is exact up to the most that there can be", () => {
    const slab = new CounterSlab();
    const counter = slab.createCounter(slab.addSubject(alice), "uplink");
    for (let round = 0; round < 1_024; round++) counter.add(Number.MAX_SAFE_INTEGER);
    counter.add(1_023);
    assert.equal(valueAt(slab, 0), 2n ** 63n - 1n);
    assert.equal(resetAt(slab, 0), 2n ** 63n - 1n);
  });

  it("has the names one behind the other, in UTF-8", () => {
    const slab = new CounterSlab();
    slab.addSubject({ scope: "inbound", tag: "ünïcödé 🦆" });
    slab.addSubject({ scope: "outbound", tag: "" });
    const names = Array.from({ length: slab.length }, (_, place) => slab.nameAt(place));
    assert.equal(slab.names.toString("utf8", 0, slab.nameStart(slab.length)), names.join(""));
    assert.equal(slab.nameStart(1), Buffer.byteLength(names[0] ?? ""));
  });

  it("copies names of any length to any place, and nothing beside them", () => {
    for (let length = 0; length <= 40; length++) {
      const slab = new CounterSlab();
      slab.addSubject({ scope: "user", tag: "x".repeat(length) });
      slab.addSubject({ scope: "user", tag: "é".repeat(length) });
      for (let place = 0; place < slab.length; place++) {
        const name = Buffer.from(slab.nameAt(place));
        for (const at of [0, 1, 2, 3]) {
          const target = Buffer.alloc(at + name.length + 4, 0xff);
          const view = new DataView(target.buffer, target.byteOffset, target.length);
          assert.equal(slab.copyName(place, view, at), at + name.length);
          const expected = Buffer.concat([Buffer.alloc(at, 0xff), name, Buffer.alloc(4, 0xff)]);
          assert.deepEqual(target, expected);
        }
      }
    }
  });

  it("keeps its names and figures while it grows", () => {
    const tagOf = (index: number): string => `${index}`.repeat(1 + (index % 50));
    const slab = new CounterSlab();
    const counters: Counter[] = [];
    for (let index = 0; !slab.isFull; index++) {
      const counter = slab.createCounter(slab.addSubject({ scope: "user", tag: tagOf(index) }), "uplink");
      counter.add(index);
      counters.push(counter);
    }
    assert.equal(slab.length, placesPerSlab);
    for (const [index, counter] of counters.entries()) {
      assert.equal(slab.nameAt(index * 2), `user>>>${tagOf(index)}>>>traffic>>>uplink`);
      assert.equal(slab.nameAt(index * 2 + 1), `user>>>${tagOf(index)}>>>traffic>>>downlink`);
      assert.equal(valueAt(slab, index * 2), BigInt(index));
      assert.equal(counter.value, BigInt(index));
    }
  });

  it("holds a name that is longer than all before it", () => {
    const slab = new CounterSlab();
    slab.addSubject(alice);
    const tag = "y".repeat(100_000);
    slab.addSubject({ scope: "user", tag });
    assert.equal(slab.nameAt(2), `user>>>${tag}>>>traffic>>>uplink`);
    assert.equal(slab.nameAt(0), "user>>>alice>>>traffic>>>uplink");
  });

  it("keeps no more memory for names than they need, once it is full", () => {
    const slab = fullSlab((index) => `tag ${index}`);
    assert.equal(slab.names.length, slab.nameStart(slab.length));
  });
});

describe("slabsOf()", () => {
  it("tells of a store's slabs, none while it has no counter", () => {
    const store = new CounterStore();
    assert.equal(slabsOf(store).length, 0);
    store.counter({ ...alice, direction: "uplink" });
    assert.equal(slabsOf(store).length, 1);
  });

  it("tells of those that come up later, in the same list", () => {
    const store = new CounterStore();
    const slabs = slabsOf(store);
    for (let index = 0; index < placesPerSlab / 2; index++) store.pair("user", `${index}`);
    assert.equal(slabs.length, 1);
    assert.equal(slabs[0]?.isFull, true);
    store.pair("user", "one more");
    assert.equal(slabs.length, 2);
    assert.equal(slabs[1]?.length, 2);
  });

  it("lists what the store's query lists, in its order", () => {
    const store = new CounterStore();
    for (let index = 0; index < 5_000; index++) {
      const tag = `tag ${index}`;
      if (index % 3 === 0) store.counter({ scope: "inbound", tag, direction: "downlink" });
      if (index % 3 === 1) store.counter({ scope: "user", tag, direction: "uplink" });
      store.pair("outbound", tag)?.uplink.add(index);
    }
    store.counter({ scope: "inbound", tag: "tag 0", direction: "uplink" }).add(9);
    const listed: (readonly [string, bigint])[] = [];
    for (const slab of slabsOf(store)) {
      for (let place = 0; place < slab.length; place++) {
        if (slab.isCounted(place)) listed.push([slab.nameAt(place), valueAt(slab, place)]);
      }
    }
    assert.deepEqual(
      listed,
      Array.from(
        store.query(() => true),
        ({ name, counter }) => [name, counter.value],
      ),
    );
    assert.equal(listed.length, store.size);
  });

  it("counts with the store's own counters", () => {
    const store = new CounterStore();
    const pair = store.pair("user", "alice");
    pair?.downlink.add(8);
    const [slab] = slabsOf(store);
    assert.deepEqual(
      [slab && valueAt(slab, 1), slab && resetAt(slab, 1), slab && valueAt(slab, 1)],
      [8n, 8n, 0n],
    );
    assert.deepEqual([pair?.downlink.value, pair?.downlink.total], [0n, 8n]);
  });
});
