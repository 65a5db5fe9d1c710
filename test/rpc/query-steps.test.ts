import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queryInSteps, type QueryStepsOptions } from "../../src/rpc/query-steps.js";
import { createMatcher, type RegexpCompiler } from "../../src/stats/matcher.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { createRandom } from "../helpers/random.js";

const compileRegexp: RegexpCompiler = (pattern) => {
  const regexp = new RegExp(pattern);
  return (name) => regexp.test(name);
};

function createStore(userCount: number): CounterStore {
  const store = new CounterStore();
  for (let user = 0; user < userCount; user++) store.pair("user", `u${user}`);
  return store;
}

/** The names that are found, and in how many steps. */
function query(store: CounterStore, options: Partial<QueryStepsOptions>) {
  const steps = queryInSteps(store, {
    ...{ patterns: [], compileRegexp: undefined, check: () => undefined },
    ...options,
  });
  let stepCount = 0;
  for (let step = steps.next(0); ; step = steps.next(stepCount)) {
    if (step.done === true) return { names: step.value.map(({ name }) => name), stepCount };
    stepCount += 1;
  }
}

describe("queryInSteps()", () => {
  it("finds what a matcher matches, in the store's order", () => {
    const random = createRandom(3);
    const store = createStore(300);
    const parts = ["u1", "u29", ">>>", "up", "down", "", "nothing", "7"];
    for (let round = 0; round < 200; round++) {
      const patterns = Array.from({ length: random.below(4) }, () => random.pick(["u", ...parts]));
      const regexp = random.below(2) === 1;
      const matches = createMatcher({ patterns, regexp }, compileRegexp);
      const expected = Array.from(store.query(matches), ({ name }) => name);
      assert.deepEqual(
        query(store, { patterns, compileRegexp: regexp ? compileRegexp : undefined }).names,
        expected,
      );
    }
  });

  it("takes a step for each expression and each name that it is held against", () => {
    const { stepCount } = query(createStore(50), { patterns: ["X", "Y", "Z"], compileRegexp });
    assert.equal(stepCount, 3 + 3 * 100);
  });

  it("takes a step for many names where they are searched for substrings, or not at all", () => {
    const store = createStore(3_200);
    assert.equal(query(store, { patterns: ["nothing"] }).stepCount, 1 + 100);
    assert.equal(query(store, {}).stepCount, 100);
  });

  it("compiles every expression before it looks at a name", () => {
    const failing: RegexpCompiler = (pattern) => {
      if (pattern === "b") throw new SyntaxError("bad");
      return () => assert.fail("a name was looked at");
    };
    assert.throws(() => query(createStore(5), { patterns: ["a", "b"], compileRegexp: failing }), SyntaxError);
  });

  it("ends with what its check throws", () => {
    const check = (usedMs: number): void => {
      if (usedMs > 20) throw new RangeError("too long");
    };
    assert.throws(() => query(createStore(50), { patterns: ["a"], compileRegexp, check }), RangeError);
  });
});
