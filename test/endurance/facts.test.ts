import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Facts } from "./facts.js";

describe("Facts", () => {
  it("say what was found, when, and what was expected where that is something else", () => {
    const facts = new Facts();
    facts.equal("fish", { cod: 1 }, { cod: 1 });
    facts.during("later");
    facts.equal("fish", 1_000, 2_000);
    facts.between("birds", 5, 1, 5, "wings");
    facts.atMost("bees", 6, 5);
    facts.failed(new RangeError("no more"));
    assert.deepEqual(
      facts.list.map(({ text, holds }) => [text.split("\n")[0], holds]),
      [
        ['fish: {"cod":1}', true],
        ["later: fish: 1,000, expected 2,000", false],
        ["later: birds: 5, expected 1 to 5 wings", true],
        ["later: bees: 6, expected at most 5 bytes", false],
        ["later: RangeError: no more", false],
      ],
    );
  });

  for (const value of [0, 4]) {
    it(`do not hold outside of their range: ${value} in 1 to 3`, () => {
      const facts = new Facts();
      facts.between("x", value, 1, 3);
      assert.deepEqual(
        facts.list.map(({ holds }) => holds),
        [false],
      );
    });
  }
});
