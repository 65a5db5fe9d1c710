import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requiredLiteral } from "../../src/stats/required-literal.js";
import type { Matcher } from "../../src/stats/matcher.js";
import { createRegexpCompiler } from "../../src/rpc/regexp.js";
import { createRandom, type Random } from "../helpers/random.js";

describe("requiredLiteral()", () => {
  const cases: readonly (readonly [pattern: string, literal: string])[] = [
    ["", ""],
    ["alice", "alice"],
    ["^alice$", "alice"],
    ["user>>>alice", "user>>>alice"],
    ["ünïcödé 🦆", "ünïcödé 🦆"],
    ["a.b", "a"],
    ["bob.*blink-up", "blink-up"],
    ["alice.*link", "alice"],
    // What many names have weighs nothing.
    [".*>>>traffic>>>uplink", ""],
    ["al.*>>>traffic>>>uplink", "al"],
    ["user>>>a.+", "user>>>a"],
    // What is repeated may be missing.
    ["alices?", "alice"],
    ["alices*", "alice"],
    ["alices+", "alices"],
    ["alices+bob", "alices"],
    ["alices{2}", "alice"],
    ["alices{0,2}bob", "alice"],
    ["alices{2,}?bob", "alice"],
    ["a+?b", "a"],
    ["ab??c", "a"],
    ["🦆?", ""],
    ["é*f", "f"],
    ["x{", "x"],
    // Sets are one of several.
    ["alice[0-9]", "alice"],
    ["[alice]", ""],
    ["[]alice]bob", "bob"],
    ["[^]alice]bob", "bob"],
    ["[[:alpha:]]bob", "bob"],
    ["[\\]alice]bob", "bob"],
    ["[a-c]+bob", "bob"],
    // Escapes.
    ["alice\\.example", "alice.example"],
    ["alice\\\\x", "alice\\x"],
    ["\\(alice\\)", "(alice)"],
    // Groups, unless they may be missing or are one of several.
    ["(alice)", "alice"],
    ["(?:alice)", "alice"],
    ["(?P<who>alice)", "alice"],
    ["(?<who>alice)", "alice"],
    ["al(ice>>>bob)", "ice>>>bob"],
    ["(alice)?", ""],
    ["b(alice)?", "b"],
    ["b(alice)*?", "b"],
    ["b(alice){0,2}", "b"],
    ["b(alice)+", "alice"],
    ["b(alice|bob)", "b"],
    ["b(alice(c|d)|bob)", "b"],
    ["b(alice(c|d))", "alice"],
    ["((alice)?b)c", "b"],
    ["user>>>u[0-9]+(99>>>traffic>>>(up|down)link)$", "99>>>traffic>>>"],
    ["alice\\d+", "alice"],
    ["\\balice\\b", "alice"],
    ["\\Aalice\\z", "alice"],
    ["alice\\[b", "alice[b"],
    // What is not looked into.
    ["\\Qalice\\E", ""],
    ["\\x61lice", ""],
    ["\\pLalice", ""],
    ["\\nalice", ""],
    ["\\Calice", ""],
    ["alice|bob", ""],
    ["(?i)alice", ""],
    ["alice(?i:b)", ""],
    ["alice(?s)", ""],
  ];
  for (const [pattern, literal] of cases) {
    it(`is ${JSON.stringify(literal)} for ${JSON.stringify(pattern)}`, () => {
      assert.equal(requiredLiteral(pattern), literal);
    });
  }
});

/** A piece of an expression, and a text that it matches. */
interface Sample {
  readonly pattern: string;
  readonly text: string;
}

/** Characters, and how they are written in an expression: as they are, or escaped. */
const plain = ["a", "b", "z", "0", " ", "-", ">", "é", "🦆", ",", "]", "}", "/", "_", "\u0301"] as const;
const special = [".", "*", "+", "?", "\\", "^", "$", "[", "]", "{", "}", "-", "/", "é", "_", ">"] as const;
const sets = [
  { pattern: "[ab]", text: "b" },
  { pattern: "[^ab]", text: "c" },
  { pattern: "[]a]", text: "]" },
  { pattern: "[^]a]", text: "x" },
  { pattern: "[a-f0]", text: "d" },
  { pattern: "[[:digit:]z]", text: "7" },
  { pattern: "[[:^digit:]]", text: "q" },
  { pattern: "[\\]b]", text: "]" },
  { pattern: "[\\\\]", text: "\\" },
  { pattern: "[.*+?(|){}]", text: "(" },
  { pattern: "[a\\d]", text: "4" },
  { pattern: "[[]", text: "[" },
  { pattern: "[é🦆]", text: "🦆" },
] as const;
const classes = [
  { pattern: ".", text: "x" },
  { pattern: "\\d", text: "5" },
  { pattern: "\\D", text: "x" },
  { pattern: "\\w", text: "w" },
  { pattern: "\\W", text: "%" },
  { pattern: "\\s", text: " " },
  { pattern: "\\S", text: "s" },
  { pattern: "\\x61", text: "a" },
  { pattern: "\\x{1F986}", text: "🦆" },
  { pattern: "\\pL", text: "l" },
  { pattern: "\\p{Greek}", text: "α" },
  { pattern: "\\PN", text: "n" },
  { pattern: "\\t", text: "\t" },
  { pattern: "\\101", text: "A" },
  { pattern: "\\Qa.b*\\E", text: "a.b*" },
] as const;
const empties = ["\\B|", "", "", "(?:)", "(?i)", "(?s:)", "\\Q\\E"] as const;

function atom(random: Random, depth: number): Sample {
  switch (random.below(depth > 0 ? 14 : 11)) {
    case 0:
      return random.pick<Sample>(sets);
    case 1:
      return random.pick<Sample>(classes);
    case 2:
    case 3: {
      const character = random.pick(special);
      return { pattern: /[a-zé]/.test(character) ? character : `\\${character}`, text: character };
    }
    case 11: {
      const inner = sequence(random, depth - 1);
      return { pattern: `(${inner.pattern})`, text: inner.text };
    }
    case 12: {
      const [one, other] = [sequence(random, depth - 1), sequence(random, depth - 1)];
      return { pattern: `(?:${one.pattern}|${other.pattern})`, text: random.pick([one, other]).text };
    }
    case 13: {
      const { pattern, text } = sequence(random, 0);
      return { pattern: `(?i:${pattern})`, text };
    }
    default: {
      const character = random.pick(plain);
      return { pattern: character, text: character };
    }
  }
}

function repeated(random: Random, { pattern, text }: Sample): Sample {
  const lazy = random.pick(["", "?"]);
  const count = random.below(4);
  switch (random.below(9)) {
    case 0:
      return { pattern: `${pattern}*${lazy}`, text: text.repeat(count) };
    case 1:
      return { pattern: `${pattern}+${lazy}`, text: text.repeat(count + 1) };
    case 2:
      return { pattern: `${pattern}?${lazy}`, text: text.repeat(count % 2) };
    case 3:
      return { pattern: `${pattern}{${count}}${lazy}`, text: text.repeat(count) };
    case 4:
      return { pattern: `${pattern}{${count},}${lazy}`, text: text.repeat(count + 1) };
    case 5:
      return { pattern: `${pattern}{0,${count}}${lazy}`, text: text.repeat(count) };
    default:
      return { pattern, text };
  }
}

function sequence(random: Random, depth: number): Sample {
  const parts = Array.from({ length: 1 + random.below(5) }, () => {
    const part = atom(random, depth);
    // A repeat is about the last thing of a quotation, and of nothing else that is longer than one.
    return part.pattern.startsWith("\\Q") ? part : repeated(random, part);
  });
  return {
    pattern: parts.map(({ pattern }) => pattern).join(""),
    text: parts.map(({ text }) => text).join(""),
  };
}

function whole(random: Random): Sample {
  const { pattern, text } = sequence(random, 2);
  switch (random.below(6)) {
    case 0:
      return { pattern: `^${pattern}$`, text };
    case 1:
      return { pattern: `\\A${pattern}\\z`, text };
    case 2: {
      const other = sequence(random, 1);
      return { pattern: `${pattern}|${other.pattern}`, text: random.pick([text, other.text]) };
    }
    case 3:
      return { pattern: `${random.pick(empties)}${pattern}`, text };
    default:
      return { pattern, text };
  }
}

/** Nothing for an expression that is too long to be taken with its repeats written out. */
function compile(pattern: string): Matcher | undefined {
  try {
    return createRegexpCompiler()(pattern);
  } catch (error) {
    if (/at most \d+ are allowed/.test(String(error))) return undefined;
    throw error;
  }
}

describe("requiredLiteral() for random expressions", { timeout: 30_000 }, () => {
  it("is in each text that they match, wherever it stands", () => {
    let matched = 0;
    let told = 0;
    for (let seed = 0; seed < 6_000; seed++) {
      const random = createRandom(seed);
      const { pattern, text } = whole(random);
      const matches = compile(pattern);
      if (matches === undefined) continue;
      const literal = requiredLiteral(pattern);
      for (const candidate of [
        text,
        `${text}b`,
        `a${text}`,
        text.toUpperCase(),
        Array.from(text).slice(1).join(""),
        "",
      ]) {
        if (!matches(candidate)) continue;
        matched += 1;
        told += literal === "" ? 0 : 1;
        assert.ok(
          candidate.includes(literal),
          `seed ${seed}: ${pattern} matches ${candidate}, without ${literal}`,
        );
      }
    }
    // It would be right, too, if it were always empty, or if nothing ever matched.
    assert.ok(matched > 6_000, `${matched} texts matched`);
    assert.ok(told > 1_000, `${told} of them by an expression with a literal`);
  });

  it("is in each text that its own parts match, put together in other ways", () => {
    for (let seed = 0; seed < 2_000; seed++) {
      const random = createRandom(seed + 100_000);
      const { pattern } = whole(random);
      const matches = compile(pattern);
      if (matches === undefined) continue;
      const literal = requiredLiteral(pattern);
      for (let round = 0; round < 20; round++) {
        const candidate = Array.from({ length: random.below(6) }, () => random.pick(plain)).join("");
        assert.ok(
          !matches(candidate) || candidate.includes(literal),
          `seed ${seed}: ${pattern} matches ${candidate}, without ${literal}`,
        );
      }
    }
  });
});
