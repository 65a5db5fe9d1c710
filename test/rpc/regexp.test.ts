import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRegexpCompiler } from "../../src/rpc/regexp.js";
import { createRandom } from "../helpers/random.js";

describe("createRegexpCompiler()", () => {
  for (const { pattern, name, isMatch } of [
    { pattern: "", name: "", isMatch: true },
    { pattern: "", name: "user>>>alice", isMatch: true },
    { pattern: "b", name: "abc", isMatch: true },
    { pattern: "^b", name: "abc", isMatch: false },
    { pattern: "^a.c$", name: "abc", isMatch: true },
    { pattern: "^a.c$", name: "a\nc", isMatch: false },
    { pattern: "(?s)^a.c$", name: "a\nc", isMatch: true },
    { pattern: "\\Aa\\z", name: "a", isMatch: true },
    { pattern: "(?i)ALICE", name: "alice", isMatch: true },
    { pattern: "ALICE", name: "alice", isMatch: false },
    { pattern: "^[[:alpha:]]+$", name: "alice", isMatch: true },
    { pattern: "^\\pL+$", name: "日本", isMatch: true },
    { pattern: "^.$", name: "🦊", isMatch: true },
    { pattern: "^(?P<n>a)(?:b|c)$", name: "ac", isMatch: true },
    { pattern: "a{2,3}?$", name: "caa", isMatch: true },
    { pattern: "(?i)[à-ÿ]", name: "É", isMatch: true },
    { pattern: `(?i)${"[a-z-9]".repeat(9)}`, name: "A-9Z-9AAA", isMatch: true },
    { pattern: "[a-\\x{10ffff}]".repeat(6), name: "abcdef", isMatch: true },
    { pattern: "a{,2}", name: "a{,2}", isMatch: true },
    { pattern: "\\Qa.b\\E", name: "a.b", isMatch: true },
    { pattern: "\\Qa.b\\E", name: "axb", isMatch: false },
    { pattern: "user>>>(alice|bob)>>>", name: "user>>>bob>>>traffic>>>uplink", isMatch: true },
    { pattern: "(a?){500}a{500}", name: "a".repeat(500), isMatch: true },
    { pattern: "(a?){500}a{500}", name: "a".repeat(499), isMatch: false },
    { pattern: "x".repeat(3_990), name: "x".repeat(3_990), isMatch: true },
  ]) {
    it(`${isMatch ? "finds" : "does not find"} ${JSON.stringify(pattern.slice(0, 30))} in ${JSON.stringify(name.slice(0, 30))}`, () => {
      assert.equal(createRegexpCompiler()(pattern)(name), isMatch);
    });
  }

  it("answers the same each time it is asked", () => {
    const matches = createRegexpCompiler()("a");
    assert.deepEqual([matches("a"), matches("b"), matches("ba"), matches("a")], [true, false, true, true]);
  });

  for (const { what, pattern, reason } of [
    { what: "an open group", pattern: "(", reason: /missing closing \)/ },
    { what: "a stray parenthesis", pattern: ")", reason: /unexpected \)/ },
    { what: "an open class", pattern: "[a", reason: /missing closing \]/ },
    { what: "an empty range", pattern: "[b-a]", reason: /invalid character class range/ },
    { what: "nothing to repeat", pattern: "*", reason: /missing argument/ },
    { what: "a repeated repeat", pattern: "a**", reason: /invalid nested repetition/ },
    { what: "a trailing backslash", pattern: "\\", reason: /trailing backslash/ },
    { what: "a back reference", pattern: "(a)\\1", reason: /invalid escape sequence/ },
    { what: "look-ahead", pattern: "(?=a)", reason: /\(\?=/ },
    { what: "negative look-ahead", pattern: "(?!a)", reason: /\(\?!/ },
    { what: "look-behind", pattern: "(?<=a)", reason: /\(\?<=/ },
    { what: "an atomic group", pattern: "(?>a)", reason: /\(\?>/ },
    { what: "more repeats than RE2 allows at once", pattern: "a{1001}", reason: /invalid repeat count/ },
    { what: "an unknown script", pattern: "\\p{Klingon}", reason: /invalid character class range/ },
    {
      what: "a length of 4,097",
      pattern: "a".repeat(4_097),
      reason: /: 4097 characters in the request's patterns, at most 4096 are allowed$/,
    },
    {
      what: "2,001 repeats",
      pattern: "a{1000}b{1000}c{1}",
      reason: /: 2001 repeats in the request's patterns, at most/,
    },
    {
      what: "too many instructions",
      pattern: "a".repeat(4_096),
      reason: /: \d+ instructions, at most 4000 are allowed$/,
    },
    {
      what: "51 Unicode classes",
      pattern: "\\pL\\P{Greek}".repeat(25) + "\\pN",
      reason: /: 51 Unicode classes in the request's patterns, at most 50 are allowed$/,
    },
    {
      what: "what would take half a second to compile",
      pattern: `(?:${"[^a]".repeat(1_000)}){1000}`,
      reason: /: 4010000 characters with repeats written out, at most 100000 are allowed$/,
    },
    {
      what: "the same with nested repeats",
      pattern: `(?:(?:${"[^a]".repeat(1_000)}){32}){32}`,
      reason: /: 4016000 characters with repeats written out, at most 100000 are allowed$/,
    },
    {
      what: "5 case-insensitive ranges beyond ASCII",
      pattern: "(?i)[a-\\x{10ffff}]{2}[b-\u{ffff}][c-\\x{ff}][d-\\377][e-\u{fe}]",
      reason: /: 5 case-insensitive ranges beyond ASCII in the request's patterns, at most 4 are allowed$/,
    },
    {
      what: "250 of them, which would take a second, wherever the flag stands",
      pattern: `(?s-m:(?mi:[${"a-\\x{10ffff}".repeat(250)}]))`,
      reason: /: 250 case-insensitive ranges beyond ASCII in the request's patterns/,
    },
    { what: "an unrolled class", pattern: "(abcdefgh){600}", reason: /: \d+ instructions, at most 4000/ },
  ]) {
    it(`refuses ${what}, with the pattern and the reason`, () => {
      assert.throws(
        () => createRegexpCompiler()(pattern),
        (error) => {
          assert.ok(error instanceof ConnectError);
          assert.equal(error.code, Code.InvalidArgument);
          const shown = pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern;
          assert.ok(error.rawMessage.startsWith(`bad regular expression ${JSON.stringify(shown)}: `));
          assert.match(error.rawMessage, reason);
          return true;
        },
      );
    });
  }

  it("takes other limits, and tells what goes beyond them but not what is malformed", () => {
    let costlyCount = 0;
    const limits = { maxRegexpLength: 6, maxRegexpRepeats: 3, maxRegexpInstructions: 100 };
    const compile = (pattern: string) =>
      createRegexpCompiler(limits, () => {
        costlyCount += 1;
      })(pattern);
    assert.equal(compile("ab{3}c")("abbbc"), true);
    assert.throws(() => compile("abcdefg"), /7 characters in the request's patterns, at most 6 are allowed/);
    assert.throws(() => compile("ab{4}"), /4 repeats in the request's patterns, at most 3 are allowed/);
    assert.equal(costlyCount, 2);
    assert.throws(() => compile("("), /missing closing/);
    assert.equal(costlyCount, 2);
  });

  it("keeps the parser's error as the cause", () => {
    assert.throws(
      () => createRegexpCompiler()("("),
      (error) => error instanceof ConnectError && error.cause instanceof Error,
    );
  });

  for (const { what, patterns } of [
    { what: "{n}", patterns: ["a{1000}", "b{1000}", "c{1}"] },
    { what: "{n,m}", patterns: ["a{0,1000}", "b{1,1000}", "c{0,1}"] },
    { what: "{n,}", patterns: ["a{1000,}", "b{1000,}", "c{1,}"] },
    { what: "many small ones", patterns: Array.from({ length: 1_001 }, () => "a{2}") },
  ]) {
    it(`sums the repeats of all patterns of one request: ${what}`, () => {
      const compile = createRegexpCompiler();
      for (const pattern of patterns.slice(0, -1)) compile(pattern);
      assert.throws(
        () => compile(patterns.at(-1) ?? ""),
        /repeats in the request's patterns, at most 2000 are allowed/,
      );
    });
  }

  it("sums the length of all patterns of one request", () => {
    const compile = createRegexpCompiler();
    compile("a".repeat(2_048));
    compile("b".repeat(2_047));
    compile("c");
    assert.throws(() => compile("d"), /4097 characters in the request's patterns, at most 4096 are allowed/);
  });

  it("sums the Unicode classes of all patterns of one request", () => {
    const compile = createRegexpCompiler();
    for (let count = 0; count < 50; count++) compile("\\pL");
    assert.throws(() => compile("\\p{Lu}"), /51 Unicode classes in the request's patterns/);
  });

  it("takes a repeat of nothing for one", () => {
    assert.equal(createRegexpCompiler()("ab{0}c{0,0}")("xax"), true);
  });

  it("starts each request's sum at zero", () => {
    for (let request = 0; request < 3; request++) createRegexpCompiler()("a{1000}");
  });

  it("takes linear time where backtracking would take for ever", () => {
    const matches = createRegexpCompiler()("^(a|a)*(a*)*(a+)+$");
    const startedAt = performance.now();
    assert.equal(matches(`${"a".repeat(5_000)}b`), false);
    assert.ok(performance.now() - startedAt < 2_000);
  });

  it("throws nothing but a ConnectError for 3,000 random patterns", () => {
    const random = createRandom(7);
    const parts = [
      "a",
      "(",
      ")",
      "[",
      "]",
      "*",
      "+",
      "?",
      "{2}",
      "{,3}",
      "|",
      "\\",
      "^",
      "$",
      ".",
      "(?:",
      "\\d",
      "-",
    ];
    const outcomes = { compiled: 0, refused: 0 };
    for (let round = 0; round < 3_000; round++) {
      const pattern = Array.from({ length: random.below(10) }, () => random.pick(["a", ...parts])).join("");
      try {
        createRegexpCompiler()(pattern)("aab");
        outcomes.compiled += 1;
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        outcomes.refused += 1;
      }
    }
    assert.ok(outcomes.compiled > 300);
    assert.ok(outcomes.refused > 300);
  });
});
