import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CounterStore, maxCountersRange } from "../../src/stats/counter-store.js";
import type { Counter } from "../../src/stats/counter.js";
import { formatStatName, statDirections, statScopes, type StatName } from "../../src/stats/stat-name.js";
import { collectGarbage } from "../helpers/gc.js";

/** More than one slab of 4,096 counters holds, and not a multiple of it. */
const manyCount = 9_001;

function user(tag: string): StatName {
  return { scope: "user", tag, direction: "uplink" };
}

const everything = (): boolean => true;

function namesIn(store: CounterStore): string[] {
  return Array.from(store.query(everything), ({ name }) => name);
}

/** States that two counters count the same bytes, one more of them. */
function assertSame(one: Counter | undefined, other: Counter | undefined): void {
  assert.ok(one !== undefined && other !== undefined);
  const before = other.total;
  one.add(1);
  assert.equal(other.total, before + 1n);
}

/** States that each of these counters, which are at 0, counts for itself. */
function assertApart(counters: readonly (Counter | undefined)[]): void {
  for (const [index, counter] of counters.entries()) counter?.add(2 ** index);
  assert.deepEqual(
    counters.map((counter) => counter?.value),
    counters.map((_, index) => 2n ** BigInt(index)),
  );
}

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
    assertSame(store.counter({ ...user("alice") }), counter);
    assertSame(store.get("user>>>alice>>>traffic>>>uplink"), counter);
    assert.equal(store.size, 1);
  });

  it("keeps scopes, tags and directions apart", () => {
    const store = new CounterStore();
    const counters = statScopes.flatMap((scope) =>
      ["a", "b"].flatMap((tag) =>
        statDirections.map((direction) => store.counter({ scope, tag, direction })),
      ),
    );
    assertApart(counters);
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
    assertSame(listed[0]?.counter, store.get("user>>>c>>>traffic>>>uplink"));
  });

  it("lists in the order in which tags came up, whatever they are of, and uplink before downlink", () => {
    const store = new CounterStore();
    const subjects = [
      ["user", "b"],
      ["inbound", "a"],
      ["user", "a"],
      ["outbound", "b"],
    ] as const;
    for (const [scope, tag] of subjects) store.counter({ scope, tag, direction: "downlink" });
    for (const [scope, tag] of subjects.toReversed()) store.counter({ scope, tag, direction: "uplink" });
    assert.deepEqual(
      namesIn(store),
      subjects.flatMap(([scope, tag]) =>
        statDirections.map((direction) => formatStatName({ scope, tag, direction })),
      ),
    );
  });

  it("lists those of tags that come up while it is being read, and nothing twice", () => {
    const store = new CounterStore();
    store.counter(user("a"));
    const listed: string[] = [];
    for (const { name } of store.query(everything)) {
      listed.push(name);
      store.pair("user", "a");
      store.pair("inbound", "b");
    }
    assert.deepEqual(listed, namesIn(store));
    assert.equal(listed.length, 4);
  });

  for (const name of ["", "user", "user>>>a", "user>>>a>>>traffic", "user>>>b>>>traffic>>>uplink"]) {
    it(`has no counter called ${JSON.stringify(name)}`, () => {
      const store = new CounterStore();
      store.pair("user", "a");
      assert.equal(store.get(name), undefined);
    });
  }

  for (const tag of ["", ">a", "a b/ü→字", "traffic", "__proto__", "constructor", "\ud800"]) {
    it(`finds the counters of ${JSON.stringify(tag)} by their names`, () => {
      const store = new CounterStore();
      const { uplink, downlink } = store.pair("user", tag) ?? assert.fail("there is no room");
      assertSame(store.get(`user>>>${tag}>>>traffic>>>uplink`), uplink);
      assertSame(store.get(`user>>>${tag}>>>traffic>>>downlink`), downlink);
      assertSame(store.counter({ scope: "user", tag, direction: "downlink" }), downlink);
      assert.deepEqual(
        namesIn(store),
        statDirections.map((direction) => formatStatName({ scope: "user", tag, direction })),
      );
    });
  }

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
    for (const [index, counter] of counters.entries())
      assertSame(store.counter(user(`user${index}`)), counter);
  });
});

describe("CounterStore's pairs", () => {
  it("are both counters of a scope and tag, created at zero when they are first asked for", () => {
    const store = new CounterStore();
    const { uplink, downlink } = store.pair("user", "alice") ?? assert.fail("there is no room");
    assert.deepEqual([uplink.total, downlink.total, store.size], [0n, 0n, 2]);
    uplink.add(1);
    downlink.add(2);
    assert.equal(store.get("user>>>alice>>>traffic>>>uplink")?.value, 1n);
    assert.equal(store.get("user>>>alice>>>traffic>>>downlink")?.value, 2n);
  });

  it("are the same pair each time, apart from those of other scopes and tags", () => {
    const store = new CounterStore();
    const pairs = statScopes.flatMap((scope) => ["a", "b"].map((tag) => store.pair(scope, tag)));
    const again = statScopes.flatMap((scope) => ["a", "b"].map((tag) => store.pair(scope, tag)));
    assertApart(pairs.flatMap((pair) => [pair?.uplink, pair?.downlink]));
    for (const [index, pair] of again.entries()) {
      assertSame(pair?.uplink, pairs[index]?.uplink);
      assertSame(pair?.downlink, pairs[index]?.downlink);
    }
    assert.equal(store.size, 12);
  });

  for (const direction of statDirections) {
    it(`have the ${direction} counter that is there already`, () => {
      const store = new CounterStore();
      const counter = store.counter({ scope: "inbound", tag: "in", direction });
      counter.add(5);
      const pair = store.pair("inbound", "in");
      assertSame(pair?.[direction], counter);
      assert.equal(store.size, 2);
      assertSame(store.get(`inbound>>>in>>>traffic>>>${direction}`), counter);
    });
  }

  for (const tag of ["a>>>b", "a>"]) {
    it(`are refused for the tag ${tag}, and nothing is created`, () => {
      const store = new CounterStore();
      assert.throws(() => store.pair("user", tag), RangeError);
      assert.equal(store.size, 0);
    });
  }

  it("keep nothing alive that their tags were cut out of", () => {
    const store = new CounterStore();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 100; index++) {
      const login = `a user with a long name ${index}:${"x".repeat(1_000_000)}`;
      const [name = ""] = Buffer.from(login).toString().split(":");
      store.pair("user", name);
      store.counter({ scope: "inbound", tag: name, direction: "uplink" });
    }
    collectGarbage();
    const grownBytes = process.memoryUsage().heapUsed - before;
    assert.equal(store.size, 300);
    assert.ok(grownBytes < 50_000_000, `${grownBytes} bytes are kept`);
  });
});

describe("CounterStore's subjects", () => {
  it("are those of one scope, in the order in which they came up, with the counters that they have", () => {
    const store = new CounterStore();
    const bob = store.pair("user", "bob");
    const inbound = store.counter({ scope: "inbound", tag: "in", direction: "downlink" });
    const alice = store.counter(user("alice"));
    assert.deepEqual(
      Array.from(store.subjects("user"), ({ scope, tag }) => [scope, tag]),
      [
        ["user", "bob"],
        ["user", "alice"],
      ],
    );
    const [first, second] = store.subjects("user");
    assertSame(first?.uplink, bob?.uplink);
    assertSame(first?.downlink, bob?.downlink);
    assertSame(second?.uplink, alice);
    assert.equal(second?.downlink, undefined);
    const [only, ...others] = store.subjects("inbound");
    assertSame(only?.downlink, inbound);
    assert.equal(only?.uplink, undefined);
    assert.deepEqual([others.length, [...store.subjects("outbound")].length], [0, 0]);
  });

  it("include those that come up while they are taken", () => {
    const store = new CounterStore();
    store.pair("user", "0");
    const tags = [];
    for (const { tag } of store.subjects("user")) {
      tags.push(tag);
      if (tags.length < 5_000) store.pair("user", `${tags.length}`);
    }
    assert.deepEqual(
      tags,
      Array.from({ length: 5_000 }, (_, index) => `${index}`),
    );
  });
});

describe("CounterStore's bound", () => {
  it("is a million by default", () => {
    assert.equal(new CounterStore().maxCounters, 1_000_000);
    assert.equal(maxCountersRange.default, 1_000_000);
  });

  it("lets there be so many counters, and says which one is too many", () => {
    const store = new CounterStore({ maxCounters: 3 });
    for (const tag of ["a", "b", "c"]) store.counter(user(tag));
    assert.throws(() => store.counter(user("d")), {
      name: "RangeError",
      message: "cannot create the counter user>>>d>>>traffic>>>uplink: there are 3, the most there may be",
    });
    assert.equal(store.size, 3);
    assert.equal(store.get("user>>>d>>>traffic>>>uplink"), undefined);
  });

  it("lets those go on that there are", () => {
    const store = new CounterStore({ maxCounters: 4 });
    const pairs = ["a", "b"].map((tag) => store.pair("user", tag));
    assert.equal(store.pair("user", "c"), undefined);
    pairs.forEach((pair, index) => {
      assertSame(store.pair("user", ["a", "b"][index] ?? "")?.downlink, pair?.downlink);
      pair?.uplink.add(5);
    });
    assert.deepEqual(
      Array.from(store.query(everything), ({ counter }) => counter.value),
      [5n, 1n, 5n, 1n],
    );
  });

  it("lets there be both counters of a pair or neither", () => {
    const store = new CounterStore({ maxCounters: 3 });
    assert.notEqual(store.pair("user", "a"), undefined);
    assert.equal(store.pair("user", "b"), undefined);
    assert.equal(store.size, 2);
    assert.equal(store.get("user>>>b>>>traffic>>>uplink"), undefined);
    assert.notEqual(store.counter(user("b")), undefined);
    assert.equal(store.pair("user", "b"), undefined);
    assert.equal(store.size, 3);
  });

  it("has room for the other half of a pair where there is room for one", () => {
    const store = new CounterStore({ maxCounters: 2 });
    const uplink = store.counter(user("a"));
    assert.equal(store.pair("user", "b"), undefined);
    assertSame(store.pair("user", "a")?.uplink, uplink);
    assert.equal(store.size, 2);
  });

  it("may be another one while the store is in use: what there is stays", () => {
    const store = new CounterStore({ maxCounters: 4 });
    store.pair("user", "alice");
    store.pair("user", "bob");
    store.maxCounters = 2;
    assert.equal(store.size, 4);
    assert.notEqual(store.pair("user", "bob"), undefined);
    assert.equal(store.pair("user", "carol"), undefined);
    store.maxCounters = 6;
    assert.notEqual(store.pair("user", "carol"), undefined);
    assert.throws(() => (store.maxCounters = 1.5), RangeError);
    assert.equal(store.maxCounters, 6);
  });

  for (const maxCounters of [2, 6, 1_000_000, 2 ** 24]) {
    it(`may be ${maxCounters}`, () => {
      assert.equal(new CounterStore({ maxCounters }).maxCounters, maxCounters);
    });
  }

  for (const maxCounters of [0, 1, -2, 2.5, 2 ** 24 + 1, Infinity, Number.NaN]) {
    it(`must not be ${maxCounters}`, () => {
      assert.throws(() => new CounterStore({ maxCounters }), {
        name: "RangeError",
        message: `maxCounters: expected a whole number from 2 to 16777216, got ${maxCounters}`,
      });
    });
  }
});
