import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMeasures } from "./measures.js";
import { parseOptions, usage } from "./options.js";

describe("the bench's options", () => {
  it("are all measures in full where there are none", () => {
    assert.deepEqual(parseOptions([]), {
      ...{ names: [], isHelpWanted: false, roundCount: undefined, scale: 1, maxMs: undefined },
      ...{ json: undefined, from: undefined, writesDocs: false },
    });
  });

  it("name measures, and say how much of them", () => {
    const args = [
      "short",
      "--rounds",
      "2",
      "udp",
      "--scale",
      "0.5",
      "--max-seconds",
      "9",
      "--json",
      "a.json",
    ];
    const { names, roundCount, scale, maxMs, json } = parseOptions(args);
    assert.deepEqual(names, ["short", "udp"]);
    assert.deepEqual([roundCount, scale, maxMs, json], [2, 0.5, 9_000, "a.json"]);
  });

  it("have a record written from another run's figures", () => {
    const { from, writesDocs } = parseOptions(["--docs", "--from", "a.json"]);
    assert.deepEqual([from, writesDocs], ["a.json", true]);
  });

  for (const [args, message] of [
    [["shrot"], /there is no measure shrot; there are bulk-up, /],
    [["--rounds", "0"], /--rounds: expected a number above 0, got 0/],
    [["--rounds", "1.5"], /--rounds: expected a whole number, got 1.5/],
    [["--scale", "much"], /--scale: expected a number above 0, got much/],
    [["--max-seconds", "-1"], /--max-seconds/],
    [["short", "--docs"], /--docs and --from are about all measures: none can be named/],
    [["short", "--from", "a.json"], /none can be named/],
  ] as const) {
    it(`are refused: ${args.join(" ")}`, () => {
      assert.throws(() => parseOptions(args), message);
    });
  }

  it("are told by --help, with every measure", () => {
    assert.equal(parseOptions(["--help"]).isHelpWanted, true);
    for (const { name } of createMeasures()) assert.match(usage(), new RegExp(`^  ${name} `, "m"));
    for (const option of ["rounds", "scale", "max-seconds", "json", "docs", "from"])
      assert.ok(usage().includes(`--${option} `), option);
  });
});
