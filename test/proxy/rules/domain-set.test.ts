import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DomainSet, type DomainSetOptions } from "../../../src/proxy/rules/domain-set.js";
import { countLookUps } from "../../helpers/look-ups.js";

describe("DomainSet", () => {
  const names = [
    ...["example.com", "www.example.com", "a.b.example.com", "notexample.com", "example.com.evil.test"],
    ...[
      "example.org",
      "com",
      "org",
      "xn--bcher-kva.de",
      "www.xn--bcher-kva.de",
      "ads.test",
      "loads.test",
      "",
    ],
  ];
  const everyExample = ["example.com", "www.example.com", "a.b.example.com"];
  const german = ["xn--bcher-kva.de", "www.xn--bcher-kva.de"];
  const cases: readonly (readonly [options: DomainSetOptions, inside: readonly string[]])[] = [
    [{}, []],
    [{ domains: [], suffixes: [], keywords: [] }, []],
    [{ domains: undefined, suffixes: undefined, keywords: undefined }, []],
    [{ domains: ["example.com"] }, ["example.com"]],
    [{ domains: ["EXAMPLE.com."] }, ["example.com"]],
    [{ domains: ["example.com", "example.org"] }, ["example.com", "example.org"]],
    [{ domains: ["bücher.de"] }, ["xn--bcher-kva.de"]],
    [{ domains: ["com"] }, ["com"]],
    [{ suffixes: ["example.com"] }, everyExample],
    [{ suffixes: ["Example.COM"] }, everyExample],
    [{ suffixes: [".example.com"] }, ["www.example.com", "a.b.example.com"]],
    [{ suffixes: ["b.example.com"] }, ["a.b.example.com"]],
    [{ suffixes: ["xample.com"] }, []],
    [{ suffixes: ["com"] }, [...everyExample, "notexample.com", "com"]],
    [{ suffixes: [".com"] }, [...everyExample, "notexample.com"]],
    [{ suffixes: ["bücher.de"] }, german],
    [{ suffixes: [".xn--bcher-kva.de"] }, ["www.xn--bcher-kva.de"]],
    [{ suffixes: [".example.com", "example.com"] }, everyExample],
    [{ keywords: ["ads"] }, ["ads.test", "loads.test"]],
    [{ keywords: ["ads."] }, ["ads.test", "loads.test"]],
    [{ keywords: ["ADS", "ORG"] }, ["example.org", "org", "ads.test", "loads.test"]],
    [{ keywords: [".example."] }, ["www.example.com", "a.b.example.com"]],
    [{ keywords: ["com.evil"] }, ["example.com.evil.test"]],
    [{ keywords: ["bücher"] }, german],
    [{ keywords: ["BÜ"] }, german],
    [{ keywords: ["xn--"] }, german],
    [{ keywords: ["bcher-kva"] }, german],
    [{ keywords: ["cher.de"] }, german],
    [{ keywords: ["missing"] }, []],
    [
      { domains: ["com"], suffixes: [".example.com"], keywords: ["lo"] },
      ["www.example.com", "a.b.example.com", "com", "loads.test"],
    ],
  ];
  for (const [options, inside] of cases) {
    it(`of ${JSON.stringify(options)} has ${inside.length === 0 ? "nothing" : inside.join(", ")}`, () => {
      const set = new DomainSet(options);
      assert.deepEqual(
        names.filter((name) => set.has(name)),
        inside,
      );
    });
  }

  const malformed: readonly (readonly [options: DomainSetOptions, shown: string])[] = [
    [{ domains: ["example.com", "*.example.com"] }, '"*.example.com"'],
    [{ domains: [".example.com"] }, '".example.com"'],
    [{ domains: ["10.0.0.1"] }, '"10.0.0.1"'],
    [{ suffixes: ["."] }, '"."'],
    [{ keywords: [""] }, '""'],
  ];
  for (const [options, shown] of malformed) {
    it(`names what it cannot read: ${shown}`, () => {
      assert.throws(() => new DomainSet(options), {
        name: "RangeError",
        message: `expected a domain, got ${shown}`,
      });
    });
  }

  describe("of 100,000 names and as many suffixes", () => {
    const count = 100_000;
    const set = new DomainSet({
      domains: Array.from({ length: count }, (_, index) => `host-${index}.example.com`),
      suffixes: Array.from(
        { length: count },
        (_, index) => `${index % 2 === 0 ? "" : "."}zone-${index}.test`,
      ),
    });

    /** Asks for a name for every tenth index. */
    function ask(nameOf: (index: number) => string) {
      const asked = Array.from({ length: count / 10 }, (_, index) => nameOf(index * 10 + (index % 2)));
      const answers: boolean[] = [];
      const lookUps = countLookUps(() => {
        for (const name of asked) answers.push(set.has(name));
      });
      return { yes: answers.filter((answer) => answer).length, asked: asked.length, lookUps };
    }

    it("finds 10,000 names with a look-up each", () => {
      assert.deepEqual(
        ask((index) => `host-${index}.example.com`),
        { yes: 10_000, asked: 10_000, lookUps: 10_000 },
      );
    });

    it("finds 10,000 names by their ends with a look-up each, and one for each dot so far", () => {
      assert.deepEqual(
        ask((index) => `a.zone-${index}.test`),
        { yes: 10_000, asked: 10_000, lookUps: 20_000 },
      );
      assert.deepEqual(
        ask((index) => `a.b.zone-${index}.test`),
        { yes: 10_000, asked: 10_000, lookUps: 30_000 },
      );
    });

    it("tells 10,000 others with a look-up each, and one for each dot", () => {
      assert.deepEqual(
        ask((index) => `a.host-${index}.example.com`),
        { yes: 0, asked: 10_000, lookUps: 40_000 },
      );
      assert.deepEqual(
        ask((index) => `nozone-${index}.test`),
        { yes: 0, asked: 10_000, lookUps: 20_000 },
      );
    });
  });
});
