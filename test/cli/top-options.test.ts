import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTopSettings } from "../../src/cli/top-options.js";

describe("parseTopSettings", () => {
  it("has defaults", () => {
    const { scope, intervalMs, count, client } = parseTopSettings([]);
    assert.deepEqual([scope, intervalMs, count], ["user", 1_000, Number.POSITIVE_INFINITY]);
    assert.deepEqual([client.server, client.timeout], ["127.0.0.1:8080", "3"]);
  });

  it("reads every option", () => {
    const args = ["--by", "outbound", "-i", "0.25", "-n", "3", "-s", "a:1", "-t", "7"];
    const { scope, intervalMs, count, client } = parseTopSettings(args);
    assert.deepEqual([scope, intervalMs, count], ["outbound", 250, 3]);
    assert.deepEqual([client.server, client.timeout], ["a:1", "7"]);
  });

  const refused: readonly (readonly [args: readonly string[], message: string])[] = [
    [["--by", "users"], 'by: expected inbound, outbound, user, got "users"'],
    [["--interval", "0"], 'interval: expected seconds from 0.001 to 99999, got "0"'],
    [["--count", "0"], 'count: expected a number from 1, got "0"'],
    [["--count", ""], 'count: expected a number from 1, got ""'],
    [["-n", "1.5"], 'count: expected a number from 1, got "1.5"'],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${JSON.stringify(args)}`, () => {
      assert.throws(() => parseTopSettings(args), { name: "UsageError", message });
    });
  }

  it("refuses what is no option", () => {
    assert.throws(() => parseTopSettings(["--reset"]), { code: "ERR_PARSE_ARGS_UNKNOWN_OPTION" });
    assert.throws(() => parseTopSettings(["user"]), { code: "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL" });
  });
});
