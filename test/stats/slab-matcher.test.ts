import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CounterSlab, placesPerSlab } from "../../src/stats/counter-slab.js";
import { CounterStore, slabsOf } from "../../src/stats/counter-store.js";
import { createMatcher, type MatcherOptions } from "../../src/stats/matcher.js";
import { createSlabMatcher, type SlabMatcher } from "../../src/stats/slab-matcher.js";
import { statDirections, type StatDirection, type StatScope } from "../../src/stats/stat-name.js";
import { createRegexpCompiler } from "../../src/rpc/regexp.js";
import { createRandom, type Random } from "../helpers/random.js";

function compileNothing(): never {
  throw new Error("substrings are not compiled");
}

/** A slab with these users, both directions of each counted. */
function slabOf(...tags: readonly string[]): CounterSlab {
  const slab = new CounterSlab();
  for (const tag of tags) {
    const first = slab.addSubject({ scope: "user", tag });
    for (const direction of statDirections) slab.createCounter(first, direction);
  }
  return slab;
}

/** What a search finds in the end. */
function found(search: ReturnType<SlabMatcher>): Uint16Array {
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}

function placesIn(slab: CounterSlab, options: MatcherOptions, from = 0, to = slab.length): number[] {
  return [...found(createSlabMatcher(options, createRegexpCompiler())(slab, from, to))];
}

describe("createSlabMatcher()", () => {
  const slab = slabOf("alice", "bob", "alicia", "ünïcödé", "🦆");
  const cases: readonly (MatcherOptions & { readonly places: readonly number[] })[] = [
    { patterns: [], places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { patterns: [""], places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { patterns: ["nobody", ""], places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { patterns: ["nobody"], places: [] },
    { patterns: ["alic"], places: [0, 1, 4, 5] },
    { patterns: ["alic", "alic", "alice"], places: [0, 1, 4, 5] },
    { patterns: ["bob", "alice"], places: [0, 1, 2, 3] },
    { patterns: ["uplink"], places: [0, 2, 4, 6, 8] },
    { patterns: ["b"], places: [2, 3] },
    { patterns: ["bob>>>traffic>>>downlink"], places: [3] },
    // What reaches from one name into the next is in neither.
    { patterns: ["uplinkuser"], places: [] },
    { patterns: ["linkuser>>>bob"], places: [] },
    { patterns: ["kuser", "bob"], places: [2, 3] },
    { patterns: ["user>>>bob>>>traffic>>>uplinku"], places: [] },
    { patterns: ["nïc"], places: [6, 7] },
    { patterns: ["🦆>"], places: [8, 9] },
    { patterns: ["\ufffd"], places: [] },
    { patterns: ["("], places: [] },
    { patterns: ["ALICE"], places: [] },
    { regexp: true, patterns: [], places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { regexp: true, patterns: [""], places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { regexp: true, patterns: ["alic[ei]"], places: [0, 1, 4, 5] },
    { regexp: true, patterns: ["^user>>>b.b>"], places: [2, 3] },
    { regexp: true, patterns: ["bob.*down", "(?i)ALICIA"], places: [3, 4, 5] },
    { regexp: true, patterns: ["bob", "bob.*down"], places: [2, 3] },
    { regexp: true, patterns: ["^ser"], places: [] },
    { regexp: true, patterns: ["uplink.+"], places: [] },
    { regexp: true, patterns: ["downlink$"], places: [1, 3, 5, 7, 9] },
    { regexp: true, patterns: [">>>.>>>"], places: [8, 9] },
  ];
  for (const { places, ...options } of cases) {
    const what = options.regexp === true ? "expressions" : "substrings";
    it(`finds by the ${what} ${JSON.stringify(options.patterns)}`, () => {
      assert.deepEqual(placesIn(slab, options), places);
    });
  }

  it("looks from one place up to another, and at no other", () => {
    const many = slabOf("aa", "ab", "b", "aa", "a");
    for (const patterns of [["a"], ["aa"], ["uplink"], [], ["kuser"]]) {
      for (const regexp of [false, true]) {
        const all = placesIn(many, { patterns, regexp });
        for (let from = 0; from <= many.length; from++) {
          for (let to = from; to <= many.length; to++) {
            assert.deepEqual(
              placesIn(many, { patterns, regexp }, from, to),
              all.filter((place) => place >= from && place < to),
              `${patterns.join()} from ${from} to ${to}`,
            );
          }
        }
      }
    }
  });

  it("does not find what begins in a range and ends behind it", () => {
    assert.deepEqual(placesIn(slabOf("a", "b"), { patterns: ["uplink", "uplinkuser"] }, 0, 1), [0]);
    assert.deepEqual(placesIn(slabOf("a", "b"), { patterns: ["downlink", "downlinkuser"] }, 1, 2), [1]);
  });

  it("finds no place where nothing is counted", () => {
    const half = new CounterSlab();
    half.createCounter(half.addSubject({ scope: "user", tag: "alice" }), "downlink");
    half.addSubject({ scope: "user", tag: "alicia" });
    for (const options of [{ patterns: [] }, { patterns: ["ali"] }, { patterns: ["a.i"], regexp: true }]) {
      assert.deepEqual(placesIn(half, options), [1]);
    }
  });

  it("asks no expression about a name that lacks what it needs, or was found already", () => {
    const asked: string[] = [];
    const matcher = createSlabMatcher(
      { patterns: ["bob.*k", "alic.", "al.ce"], regexp: true },
      (pattern) => (name) => {
        asked.push(`${pattern} ${name.split(">>>")[1] ?? ""}`);
        return true;
      },
    );
    assert.deepEqual([...found(matcher(slab, 0, slab.length))], [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(asked, [
      "bob.*k bob",
      "bob.*k bob",
      "alic. alice",
      "alic. alice",
      "alic. alicia",
      "alic. alicia",
    ]);
  });

  it("yields between two expressions, before the names that the next one is asked about", () => {
    const asked: string[] = [];
    const matcher = createSlabMatcher({ patterns: ["a", "b", "x"], regexp: true }, (pattern) => () => {
      asked.push(pattern);
      return false;
    });
    const search = matcher(slab, 0, 4);
    for (const expected of ["a", "b", ""]) {
      assert.equal(search.next().done, expected === "");
      assert.deepEqual([...new Set(asked.splice(0))].join(""), expected);
    }
    for (const patterns of [[], ["a", "b", "x"]]) {
      assert.equal(createSlabMatcher({ patterns }, compileNothing)(slab, 0, 4).next().done, true);
    }
  });

  it("begins anew each time it is called", () => {
    const matcher = createSlabMatcher({ patterns: ["bob"] }, compileNothing);
    assert.deepEqual([...found(matcher(slab, 0, slab.length))], [2, 3]);
    assert.deepEqual([...found(matcher(slabOf("bob", "alice"), 0, 4))], [0, 1]);
    assert.deepEqual([...found(matcher(slab, 3, 6))], [3]);
    assert.deepEqual([...found(matcher(slab, 4, 6))], []);
  });

  it("knows of a bad expression before it looks anywhere", () => {
    const compiled: string[] = [];
    const compile = (pattern: string) => {
      compiled.push(pattern);
      if (pattern === "(") throw new Error("bad");
      return () => true;
    };
    assert.throws(() => createSlabMatcher({ patterns: ["a", "("], regexp: true }, compile), /bad/);
    assert.deepEqual(compiled, ["a", "("]);
  });

  it("finds in a full slab what it finds in a small one", () => {
    const full = new CounterSlab();
    for (let index = 0; !full.isFull; index++) {
      const first = full.addSubject({ scope: "user", tag: `u${index}` });
      for (const direction of statDirections) full.createCounter(first, direction);
    }
    assert.equal(placesIn(full, { patterns: [] }).length, placesPerSlab);
    const last = placesPerSlab / 2 - 1;
    assert.deepEqual(placesIn(full, { patterns: [`u${last}>`] }), [placesPerSlab - 2, placesPerSlab - 1]);
    assert.deepEqual(placesIn(full, { patterns: ["u0>"] }), [0, 1]);
  });
});

describe("createSlabMatcher() beside createMatcher()", { timeout: 30_000 }, () => {
  const pieces = [
    "a",
    "b",
    "ab",
    ">",
    ">>>",
    "é",
    "ü",
    "🦆",
    "\u0301",
    "user",
    "link",
    "traffic",
    "",
    " ",
    "\ufffd",
  ] as const;
  const expressionPieces = [
    "a",
    "b",
    ".",
    ".*",
    "[ab]",
    "a+",
    "(?:a|b)",
    "^",
    "$",
    "é",
    "🦆?",
    ">{3}",
    "\\w",
    "uplink",
    "b*",
    "(?i)A",
  ] as const;

  const text = (random: Random, most: number): string =>
    Array.from({ length: random.below(most + 1) }, () => random.pick(pieces)).join("");

  const tagOf = (random: Random): string => text(random, 6).replaceAll(">>>", "").replace(/>+$/, "");

  /** A part of what lies in memory, which often reaches over the end of a name. */
  const partOf = (random: Random, slab: CounterSlab): string => {
    const names = slab.names.toString("utf8", 0, slab.nameStart(slab.length));
    const start = random.below(names.length);
    // A request is UTF-8, and has no halves of surrogate pairs.
    return names.slice(start, start + 1 + random.below(30)).replaceAll(/[\ud800-\udfff]/gu, "");
  };

  it("finds the same names for random patterns, over several slabs and in parts of them", () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = createRandom(seed);
      const store = new CounterStore();
      // Every few rounds the names take more than one slab.
      const subjectCount = seed % 10 === 0 ? 5_000 : 30;
      for (let index = 0; index < subjectCount; index++) {
        const scope = random.pick<StatScope>(["inbound", "outbound", "user"]);
        const tag = tagOf(random) + (subjectCount > 30 ? `${index}` : "");
        if (random.below(2) === 0) store.pair(scope, tag);
        else store.counter({ scope, tag, direction: random.pick<StatDirection>(["uplink", "downlink"]) });
      }
      const slabs = slabsOf(store);
      assert.equal(slabs.length, subjectCount > 30 ? 3 : 1);
      for (let round = 0; round < (subjectCount > 30 ? 4 : 40); round++) {
        const regexp = random.below(3) === 0;
        const patterns = Array.from({ length: random.below(4) }, () =>
          regexp
            ? Array.from({ length: 1 + random.below(4) }, () => random.pick(expressionPieces)).join("")
            : random.below(2) === 0
              ? text(random, 3)
              : partOf(random, random.pick([slabs[0] ?? new CounterSlab(), ...slabs])),
        ).filter((pattern) => !/[*+?}][*+?{]/.test(pattern));
        const options = { patterns, regexp };
        const matches = createMatcher(options, createRegexpCompiler());
        const matcher = createSlabMatcher(options, createRegexpCompiler());
        const names: string[] = [];
        for (const slab of slabs) {
          for (let from = 0; from < slab.length;) {
            const to = Math.min(slab.length, from + 1 + random.below(slab.length));
            for (const place of found(matcher(slab, from, to))) names.push(slab.nameAt(place));
            from = to;
          }
        }
        const expected = Array.from(store.query(matches), ({ name }) => name);
        assert.deepEqual(names, expected, `seed ${seed}, patterns ${JSON.stringify(patterns)}`);
      }
    }
  });
});
