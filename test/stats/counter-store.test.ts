import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CounterStore } from "../../src/stats/counter-store.js";
import { statDirections, statScopes, type StatName } from "../../src/stats/stat-name.js";

/** More than one slab of 4,096 counters holds, and not a multiple of it. */
const manyCount = 9_001;

function user(tag: string): StatName {
  return { scope: "user", tag, direction: "uplink" };
}

const everything = (): boolean => true;

describe("CounterStore", () => {
  it("creates a counter at zero when it is first asked for", () => {
    const store = new CounterStore();
    assert.equal(store.size, 0);
    assert.equal(store.counter(user("alice")).total, 0n);
    assert.equal(store.size, 1);
  });

  it("gives the same counter for the same name", () => {
    const store = new CounterStore();
    const counter = store.counter(user("alice"));
    assert.equal(store.counter({ ...user("alice") }), counter);
    assert.equal(store.get("user>>>alice>>>traffic>>>uplink"), counter);
    assert.equal(store.size, 1);
  });

  it("keeps scopes, tags and directions apart", () => {
    const store = new CounterStore();
    const counters = statScopes.flatMap((scope) =>
      ["a", "b"].flatMap((tag) =>
        statDirections.map((direction) => store.counter({ scope, tag, direction })),
      ),
    );
    assert.equal(new Set(counters).size, 12);
    assert.equal(store.size, 12);
  });

  it("does not create what is only read", () => {
    const store = new CounterStore();
    assert.equal(store.get("user>>>alice>>>traffic>>>uplink"), undefined);
    assert.deepEqual([...store.query(everything)], []);
    assert.equal(store.size, 0);
  });

  it("refuses a tag that would tear its name apart, and creates nothing", () => {
    const store = new CounterStore();
    assert.throws(() => store.counter(user("a>>>b")), RangeError);
    assert.equal(store.size, 0);
  });

  it("lists what matches, once, in the order of creation", () => {
    const store = new CounterStore();
    for (const tag of ["c", "a", "b", "a", "c"]) store.counter(user(tag)).add(1);
    const listed = [...store.query((name) => !name.includes(">>>b>>>"))];
    assert.deepEqual(
      listed.map(({ name, counter }) => [name, counter.value]),
      [
        ["user>>>c>>>traffic>>>uplink", 2n],
        ["user>>>a>>>traffic>>>uplink", 2n],
      ],
    );
    assert.equal(listed[0]?.counter, store.get("user>>>c>>>traffic>>>uplink"));
  });

  it("asks the matcher about every name exactly once", () => {
    const store = new CounterStore();
    for (const tag of ["c", "a", "b"]) store.counter(user(tag));
    const asked: string[] = [];
    const listed = store.query((name) => {
      asked.push(name);
      return false;
    });
    assert.deepEqual([...listed], []);
    assert.deepEqual(
      asked,
      ["c", "a", "b"].map((tag) => `user>>>${tag}>>>traffic>>>uplink`),
    );
  });

  it("keeps thousands of counters apart, over the edges of its arrays", () => {
    const store = new CounterStore();
    const counters = Array.from({ length: manyCount }, (_, index) => store.counter(user(`user${index}`)));
    counters.forEach((counter, index) => {
      counter.add(index);
    });
    counters.forEach((counter, index) => {
      if (index % 3 === 0) counter.reset();
    });
    assert.equal(store.size, manyCount);
    const listed = [...store.query(everything)];
    assert.equal(listed.length, manyCount);
    const wrong = listed.filter(({ name, counter }, index) => {
      const value = index % 3 === 0 ? 0n : BigInt(index);
      const isRight = counter.value === value && counter.total === BigInt(index);
      return !isRight || name !== `user>>>user${index}>>>traffic>>>uplink`;
    });
    assert.deepEqual(wrong, []);
    assert.ok(counters.every((counter, index) => store.counter(user(`user${index}`)) === counter));
  });
});
