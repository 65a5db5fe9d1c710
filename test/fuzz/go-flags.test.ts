import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { apiStatsOptions as options } from "../../src/cli/api-options.js";
import { translateGoFlags } from "../../src/cli/go-flags.js";
import { UsageError } from "../../src/cli/usage-error.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const piece = fc.oneof(
  fc.constantFrom("-", "--", "=", "s", "server", "reset", "json", "true", "0", "help", "__proto__"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const arg = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));

describe("arguments in Go's spelling", () => {
  it(
    "are refused in words, or read by parseArgs, and none is lost behind the flags",
    fuzzLimits,
    async () => {
      await fuzz({
        name: "go-flags",
        inputs: fc.array(arg, { maxLength: 6 }),
        holds: (args) => {
          let translated: readonly string[];
          try {
            translated = translateGoFlags(args, options);
          } catch (error) {
            assert.ok(error instanceof UsageError, String(error));
            return;
          }
          const { positionals } = parseArgs({
            args: [...translated],
            options: { ...options, help: { type: "boolean" } },
            allowPositionals: true,
          });
          assert.deepEqual(positionals, args.slice(args.length - positionals.length));
        },
      });
    },
  );

  it("are read as they are where they say each option once", fuzzLimits, async () => {
    await fuzz({
      name: "go-flags-values",
      inputs: fc.record({
        server: fc.string({ unit: "binary", maxLength: 6 }),
        reset: fc.boolean(),
        isApart: fc.boolean(),
        patterns: fc.array(fc.string({ unit: "binary", maxLength: 4 }), { maxLength: 3 }),
      }),
      holds: ({ server, reset, isApart, patterns }) => {
        const flags = [...(isApart ? ["-s", server] : [`--server=${server}`]), `-reset=${reset}`];
        const args = [...translateGoFlags([...flags, "--", ...patterns], options)];
        const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
        assert.deepEqual([values.server, values.reset ?? false, positionals], [server, reset, patterns]);
      },
    });
  });
});
