import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asksForHelp, isHelpOption } from "../../src/cli/help-request.js";

const options = {
  server: { type: "string", short: "s", summary: "" },
  reset: { type: "boolean", summary: "" },
} as const;

describe("asksForHelp", () => {
  const table: readonly (readonly [args: readonly string[], asks: boolean])[] = [
    [[], false],
    [["--help"], true],
    [["-h"], true],
    [["-help"], true],
    [["user", "-h"], true],
    [["--nope", "-h"], true],
    [["--reset", "--help", "--", "a"], true],
    [["-s", "a:1", "-help"], true],
    [["-sa:1", "-h"], true],
    [["--server=a:1", "-h"], true],
    [["-s", "-h"], false],
    [["--server", "--help"], false],
    [["--server=-h"], false],
    [["-s-h"], false],
    [["--", "-h"], false],
    [["--reset", "--", "--help"], false],
    [["help"], false],
    [["--help=1"], false],
    [["--helpless"], false],
  ];
  for (const [args, asks] of table) {
    it(`says ${asks} of ${JSON.stringify(args)}`, () => {
      assert.equal(asksForHelp(args, options), asks);
    });
  }
});

describe("isHelpOption", () => {
  it("knows the option in each of its spellings", () => {
    assert.deepEqual(
      ["--help", "-h", "-help", "help", "-", ""].map((arg) => isHelpOption(arg)),
      [true, true, true, false, false, false],
    );
  });
});
