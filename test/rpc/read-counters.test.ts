import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, it, type TestContext } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import type { CallContext } from "../../src/rpc/call-context.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import { readCounters, type ReadCountersOptions } from "../../src/rpc/read-counters.js";
import { SlicedWork } from "../../src/rpc/sliced-work.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { createMatcher, type RegexpCompiler } from "../../src/stats/matcher.js";
import { count, userUplink, valuesOf } from "../helpers/api-server.js";
import { createRandom } from "../helpers/random.js";

const alice = userUplink("alice");
const bob = userUplink("bob");

/** A context whose delivery, and whose end, the test decides about. */
function createContext() {
  const undos: (() => void)[] = [];
  const aborting = new AbortController();
  const context: CallContext = {
    values: createContextValues().set(deliveryKey, { onLost: (undo) => undos.push(undo) }),
    signal: aborting.signal,
  };
  return { context, undos, aborting };
}

interface Reading extends Partial<ReadCountersOptions> {
  readonly store: CounterStore;
  readonly context: CallContext;
  /** Called with each that was read. */
  readonly onRead?: (name: string, value: bigint) => void;
}

/** Reads counters, and lists what was read. */
async function read({
  onRead = () => undefined,
  ...options
}: Reading): Promise<(readonly [string, bigint])[]> {
  const { signal } = options.context;
  const list: (readonly [string, bigint])[] = [];
  const steps = readCounters(
    {
      ...{ patterns: [], compileRegexp: undefined, reset: false },
      check: () => {
        signal.throwIfAborted();
      },
      ...options,
    },
    (slab, place, value) => {
      const name = slab.nameAt(place);
      list.push([name, value.value]);
      onRead(name, value.value);
    },
  );
  await new SlicedWork().run(steps);
  return list;
}

/** In JavaScript's own syntax, which is enough for what is compiled here. */
const compileRegexp: RegexpCompiler = (pattern) => {
  const regexp = new RegExp(pattern);
  return (name) => regexp.test(name);
};

/** A store of that many users, the uplink of each with its number plus one. */
function fullStore(userCount: number): CounterStore {
  const store = new CounterStore();
  for (let index = 0; index < userCount; index++) count(store, userUplink(`u${index}`), index + 1);
  return store;
}

function sumOf(store: CounterStore): bigint {
  return Object.values(valuesOf(store)).reduce((sum, value) => sum + value, 0n);
}

/** Makes every step take longer than a slice may, so that others have their turn behind each. */
function slowClock(t: TestContext): void {
  let now = 0;
  t.mock.method(performance, "now", () => (now += 3));
}

/** Does something in each turn of the event loop, until the signal aborts. */
async function eachTurn(signal: AbortSignal, act: () => unknown): Promise<void> {
  while (!signal.aborted) {
    await nextTurn();
    act();
  }
}

describe("readCounters()", { timeout: 30_000 }, () => {
  it("reads all that are meant, in the store's order, and resets none", async () => {
    const { context, undos } = createContext();
    const store = fullStore(5_000);
    count(store, alice, 5);
    assert.deepEqual(await read({ store, context }), Object.entries(valuesOf(store)));
    assert.deepEqual(await read({ store, context, patterns: ["alice"] }), [[alice, 5n]]);
    assert.equal(sumOf(store), 12_502_505n);
    assert.deepEqual(undos, []);
  });

  it("reads nothing in an empty store", async () => {
    const { context, undos } = createContext();
    assert.deepEqual(await read({ store: new CounterStore(), reset: true, context }), []);
    assert.deepEqual(undos, []);
  });

  it("resets those that are meant, and no other", async () => {
    const { context, undos } = createContext();
    const store = new CounterStore();
    count(store, alice, 5);
    count(store, bob, 2n ** 63n - 1n);
    assert.deepEqual(await read({ store, patterns: ["bob"], reset: true, context }), [[bob, 2n ** 63n - 1n]]);
    assert.deepEqual(valuesOf(store), { [alice]: 5n, [bob]: 0n });
    assert.equal(undos.length, 1);
  });

  it("asks for nothing back where everything was at 0", async () => {
    const { context, undos } = createContext();
    const store = new CounterStore();
    count(store, alice, 0);
    assert.deepEqual(await read({ store, reset: true, context }), [[alice, 0n]]);
    assert.deepEqual(undos, []);
  });

  it("gives back once what a lost answer took, beside what was counted and reset since", async () => {
    const { context, undos } = createContext();
    const store = fullStore(5_000);
    const before = valuesOf(store);
    await read({ store, reset: true, context });
    assert.equal(sumOf(store), 0n);
    const counter = count(store, userUplink("u7"), 90);
    assert.equal(counter.reset(), 90n);
    counter.add(4);
    for (const undo of [...undos, ...undos]) undo();
    assert.deepEqual(valuesOf(store), { ...before, [userUplink("u7")]: 8n + 4n });
  });

  it("lets the event loop turn between two slices", async (t) => {
    const { context } = createContext();
    const store = fullStore(50);
    slowClock(t);
    let turnCount = 0;
    const ending = new AbortController();
    const turning = eachTurn(ending.signal, () => (turnCount += 1));
    const turnsSeen = new Set<number>();
    await read({ store, context, onRead: () => turnsSeen.add(turnCount) });
    ending.abort();
    await turning;
    // One slice for each counter, since even one takes too long.
    assert.equal(turnsSeen.size, 50);
  });

  it("counts each byte once, in an answer or in the store, while counters move between slices", async (t) => {
    slowClock(t);
    for (let seed = 0; seed < 5; seed++) {
      const random = createRandom(seed);
      const store = fullStore(100);
      let counted = sumOf(store);
      const ending = new AbortController();
      const counting = eachTurn(ending.signal, () => {
        for (let round = 0; round < 10; round++) {
          const bytes = random.below(1_000_000);
          count(store, userUplink(`u${random.below(100)}`), bytes);
          counted += BigInt(bytes);
        }
      });
      let answered = 0n;
      await Promise.all(
        Array.from({ length: 4 }, async (_, reader) => {
          const { context, undos } = createContext();
          const list = await read({ store, reset: true, context });
          // Half of the answers are lost.
          if (reader % 2 === 0) for (const undo of undos) undo();
          else for (const [, value] of list) answered += value;
        }),
      );
      ending.abort();
      await counting;
      assert.equal(answered + sumOf(store), counted);
    }
  });

  it("finds counters that come up meanwhile, in the slab that is being read and in new ones", async (t) => {
    slowClock(t);
    const { context } = createContext();
    const store = fullStore(20);
    let created = 0;
    const list = await read({
      store,
      context,
      onRead: () => {
        if (created < 3_000) {
          for (let index = 0; index < 500; index++) count(store, userUplink(`late ${created + index}`), 1);
          created += 500;
        }
      },
      patterns: ["u1>", "late 2999", "u19", "u2>", "u3>", "u4>", "u5>"],
    });
    assert.ok(list.some(([name]) => name === userUplink("late 2999")));
    assert.equal(new Set(list.map(([name]) => name)).size, list.length);
  });

  it("gives back what it took, once, if the caller is gone between two slices, and reads no further", async (t) => {
    slowClock(t);
    const { context, undos, aborting } = createContext();
    const store = fullStore(50);
    const before = valuesOf(store);
    const seen: string[] = [];
    const reading = read({
      store,
      reset: true,
      context,
      onRead: (name) => {
        seen.push(name);
        if (seen.length === 20) aborting.abort(new Error("gone"));
      },
    });
    await assert.rejects(reading, /gone/);
    assert.equal(seen.length, 20);
    assert.deepEqual(valuesOf(store), before);
    assert.deepEqual(undos, []);
  });

  it("gives back what it took if whoever takes it fails", async () => {
    const { context, undos } = createContext();
    const store = fullStore(50);
    const before = valuesOf(store);
    let seen = 0;
    const reading = read({
      store,
      reset: true,
      context,
      onRead: () => {
        seen += 1;
        if (seen === 30) throw new Error("too much");
      },
    });
    await assert.rejects(reading, /too much/);
    assert.deepEqual(valuesOf(store), before);
    assert.deepEqual(undos, []);
  });

  it("leaves what others took meanwhile to them", async (t) => {
    slowClock(t);
    const { context, aborting } = createContext();
    const store = fullStore(10);
    let taken = 0n;
    const reading = read({
      store,
      reset: true,
      context,
      onRead: (name) => {
        if (name !== userUplink("u5")) return;
        // Another caller resets everything: what is left of it is at 0 for this one.
        for (const { counter } of store.query(() => true)) taken += counter.reset();
        aborting.abort(new Error("gone"));
      },
    });
    await assert.rejects(reading, /gone/);
    // u6 to u9 went to the other caller, u0 to u5 came back.
    assert.equal(taken, 7n + 8n + 9n + 10n);
    assert.equal(sumOf(store), 1n + 2n + 3n + 4n + 5n + 6n);
  });

  it("reads what a matcher matches", async () => {
    const random = createRandom(3);
    const store = fullStore(300);
    const { context } = createContext();
    const parts = ["u1", "u29", ">>>", "up", "down", "", "nothing", "7"];
    for (let round = 0; round < 100; round++) {
      const patterns = Array.from({ length: random.below(4) }, () => random.pick(["u", ...parts]));
      const regexp = random.below(2) === 1;
      const matches = createMatcher({ patterns, regexp }, compileRegexp);
      const list = await read({
        ...{ store, patterns, context },
        compileRegexp: regexp ? compileRegexp : undefined,
      });
      assert.deepEqual(
        list.map(([name]) => name),
        Array.from(store.query(matches), ({ name }) => name),
      );
    }
  });

  it("compiles each expression once, in a step of its own, before anything is read", () => {
    const compiled: string[] = [];
    const { context } = createContext();
    const store = fullStore(1);
    let readCount = 0;
    const steps = readCounters(
      {
        ...{ store, patterns: ["a", "u0", "c"], reset: true, context, check: () => undefined },
        compileRegexp: (pattern) => {
          compiled.push(pattern);
          return compileRegexp(pattern);
        },
      },
      () => (readCount += 1),
    );
    for (let stepCount = 1; stepCount <= 4; stepCount++) {
      assert.equal(steps.next(0).done, false);
      assert.deepEqual([compiled.length, readCount], [Math.min(stepCount, 3), 0]);
    }
    while (steps.next(0).done === false);
    assert.deepEqual([compiled.length, readCount], [3, 1]);
  });

  it("holds one expression against names in a step, and takes one name at a time where that takes long", () => {
    const { context } = createContext();
    const store = new CounterStore();
    for (let user = 0; user < 20; user++) store.pair("user", `u${user}`);
    let usedMs = 0;
    let asked = 0;
    const steps = readCounters(
      {
        ...{ store, patterns: ["u", "[k]", "."], reset: false, context, check: () => undefined },
        compileRegexp: () => () => {
          asked += 1;
          usedMs += 1;
          return false;
        },
      },
      () => assert.fail("none is meant"),
    );
    let most = 0;
    for (let step = steps.next(0); step.done !== true; step = steps.next(usedMs)) {
      most = Math.max(most, asked);
      asked = 0;
    }
    assert.equal(usedMs, 3 * 40);
    assert.equal(most, 1);
  });

  it("resets nothing if an expression is bad", async () => {
    const { context } = createContext();
    const store = fullStore(5);
    const before = valuesOf(store);
    await assert.rejects(
      read({ store, patterns: ["u", "("], reset: true, context, compileRegexp }),
      SyntaxError,
    );
    assert.deepEqual(valuesOf(store), before);
  });

  it("ends with what its check throws, with what it took given back", async (t) => {
    slowClock(t);
    const { context, undos } = createContext();
    const store = fullStore(50);
    const before = valuesOf(store);
    const used: number[] = [];
    const reading = read({
      ...{ store, reset: true, context },
      check: (usedMs) => {
        used.push(usedMs);
        if (usedMs > 60) throw new RangeError("too long");
      },
    });
    await assert.rejects(reading, RangeError);
    assert.ok(used.length > 10);
    assert.deepEqual(
      used,
      used.toSorted((a, b) => a - b),
    );
    assert.deepEqual(valuesOf(store), before);
    assert.deepEqual(undos, []);
  });
});
