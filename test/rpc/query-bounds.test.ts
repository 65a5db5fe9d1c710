import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { defaultApiLimits, type ApiLimits } from "../../src/rpc/api-limits.js";
import { QueryBounds } from "../../src/rpc/query-bounds.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";

function createBounds(limits: ApiLimits = {}) {
  const refusals = createRefusalTally();
  return { bounds: new QueryBounds({ ...defaultApiLimits, ...limits }, refusals), refusals };
}

/** What was thrown, as its code and its message. */
function thrownBy(act: () => unknown): readonly [Code, string] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConnectError) return [error.code, error.rawMessage];
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("QueryBounds", () => {
  it("counts the pattern beside the list as one more, unless it is empty", () => {
    const { bounds, refusals } = createBounds({ maxPatterns: 2 });
    bounds.assertPatterns({ pattern: "", patterns: ["", ""] });
    bounds.assertPatterns({ pattern: "a", patterns: ["b"] });
    assert.deepEqual(
      thrownBy(() => {
        bounds.assertPatterns({ pattern: "a", patterns: ["b", "c"] });
      }),
      [Code.InvalidArgument, "3 patterns, at most 2 are allowed"],
    );
    assert.equal(refusals.many_patterns, 1);
  });

  for (const query of [
    { pattern: "xxxx", patterns: ["a"] },
    { pattern: "", patterns: ["a", "xxxx", "b"] },
  ]) {
    it(`measures each pattern: ${JSON.stringify(query)}`, () => {
      const { bounds, refusals } = createBounds({ maxPatternLength: 3 });
      bounds.assertPatterns({ pattern: "xxx", patterns: ["xxx"] });
      assert.deepEqual(
        thrownBy(() => {
          bounds.assertPatterns(query);
        }),
        [Code.InvalidArgument, "a pattern of 4 characters, at most 3 are allowed"],
      );
      assert.equal(refusals.long_pattern, 1);
    });
  }

  it("counts expressions that are too much, and not those that are malformed", async () => {
    const { bounds, refusals } = createBounds({ maxRegexpLength: 5, maxRegexpInstructions: 100 });
    const codeOf = async (pattern: string): Promise<Code> => {
      const compile = await bounds.loadCompiler();
      return thrownBy(() => compile(pattern))[0];
    };
    const compile = await bounds.loadCompiler();
    assert.equal(compile("abcde")("xabcdex"), true);
    assert.equal(await codeOf("abcdef"), Code.InvalidArgument);
    assert.equal(await codeOf("a{99}"), Code.InvalidArgument);
    assert.equal(refusals.costly_regexp, 2);
    assert.equal(await codeOf("("), Code.InvalidArgument);
    assert.equal(refusals.costly_regexp, 2);
  });

  it("bounds the time", () => {
    const { bounds, refusals } = createBounds({ maxQueryMs: 7 });
    bounds.assertTime(7);
    assert.deepEqual(
      thrownBy(() => {
        bounds.assertTime(7.1);
      }),
      [Code.ResourceExhausted, "the patterns take more than 7 ms for the counters that there are"],
    );
    assert.equal(refusals.long_query, 1);
  });

  it("leaves some of the places for long queries to other callers", () => {
    const { bounds, refusals } = createBounds({ maxWaitingQueries: 3 });
    const leave = bounds.takePlace("a");
    bounds.takePlace("a");
    assert.deepEqual(
      thrownBy(() => bounds.takePlace("a")),
      [Code.ResourceExhausted, "too many long queries wait already; try again"],
    );
    leave();
    bounds.takePlace("a");
    bounds.takePlace("b");
    assert.equal(refusals.waiting_queries, 1);
  });

  it("refuses another large answer where there is no room for it", () => {
    const { bounds, refusals } = createBounds();
    const queue = { hasRoomFor: (holder: object | string) => holder === "a" };
    bounds.assertRoom(queue, "a");
    assert.deepEqual(
      thrownBy(() => {
        bounds.assertRoom(queue, "b");
      }),
      [Code.ResourceExhausted, "too many bytes of answers wait to be read already; try again"],
    );
    assert.equal(refusals.queued_answers, 1);
  });
});
