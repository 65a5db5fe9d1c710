import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { translateGoFlags } from "../../src/cli/go-flags.js";

const options = {
  server: { type: "string", short: "s", summary: "" },
  pattern: { type: "string", summary: "" },
  reset: { type: "boolean", summary: "" },
  json: { type: "boolean", summary: "" },
} as const;

describe("translateGoFlags", () => {
  const table: readonly (readonly [args: readonly string[], translated: readonly string[]])[] = [
    [[], ["--"]],
    [
      ["-server", "a:1"],
      ["--server=a:1", "--"],
    ],
    [
      ["--server", "a:1"],
      ["--server=a:1", "--"],
    ],
    [["-server=a:1"], ["--server=a:1", "--"]],
    [["--s=a:1"], ["--server=a:1", "--"]],
    [
      ["-s", "a:1", "-s", "b:2"],
      ["--server=b:2", "--"],
    ],
    [
      ["-pattern", "-reset"],
      ["--pattern=-reset", "--"],
    ],
    [["-pattern="], ["--pattern=", "--"]],
    [
      ["-pattern", ""],
      ["--pattern=", "--"],
    ],
    [["-pattern=a=b\nc"], ["--pattern=a=b\nc", "--"]],
    [["-reset"], ["--reset", "--"]],
    [
      ["-reset=true", "-json=0"],
      ["--reset", "--"],
    ],
    [
      ["-reset=T", "-json=F"],
      ["--reset", "--"],
    ],
    [["-reset", "-reset=false"], ["--"]],
    // A switch takes no next argument: it ends the flags.
    [
      ["-reset", "true", "-json"],
      ["--reset", "--", "true", "-json"],
    ],
    [
      ["user", "-reset"],
      ["--", "user", "-reset"],
    ],
    [
      ["-json", "--", "-reset"],
      ["--json", "--", "-reset"],
    ],
    [
      ["-", "-json"],
      ["--", "-", "-json"],
    ],
    // Whoever asks for help is told of nothing else.
    [["-reset", "-h", "-nope"], ["--help"]],
    [["--help=1"], ["--help"]],
    [
      ["-pattern", "-h"],
      ["--pattern=-h", "--"],
    ],
    [
      ["user", "-h"],
      ["--", "user", "-h"],
    ],
    [
      ["--", "-h"],
      ["--", "-h"],
    ],
    [
      ["", "-json"],
      ["--", "", "-json"],
    ],
  ];
  for (const [args, translated] of table) {
    it(`reads ${JSON.stringify(args)} as Go's programs do`, () => {
      assert.deepEqual(translateGoFlags(args, options), translated);
    });
  }

  const refused: readonly (readonly [args: readonly string[], message: string])[] = [
    [["-nope"], "flag provided but not defined: -nope"],
    [["-nope", "-h"], "flag provided but not defined: -nope"],
    [["--nope=1"], "flag provided but not defined: -nope"],
    [["-constructor"], "flag provided but not defined: -constructor"],
    [["-server"], "flag needs an argument: -server"],
    [["-json", "-s"], "flag needs an argument: -s"],
    [["-json=yes"], 'invalid boolean value "yes" for -json: parse error'],
    [["-json=constructor"], 'invalid boolean value "constructor" for -json: parse error'],
    [["---json"], "bad flag syntax: ---json"],
    [["-=x"], "bad flag syntax: -=x"],
    [["--=x"], "bad flag syntax: --=x"],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${JSON.stringify(args)} in Go's words`, () => {
      assert.throws(() => translateGoFlags(args, options), { name: "UsageError", message });
    });
  }
});
