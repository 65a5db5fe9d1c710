import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  formatStatName,
  isTag,
  parseStatName,
  statDirections,
  statScopes,
} from "../../src/stats/stat-name.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const piece = fc.oneof(
  fc.constantFrom(">", ">>", ">>>", "user", "traffic", "uplink", "inbound", ">>>traffic>>>", ""),
  fc.string({ unit: "binary", maxLength: 5 }),
);
const tag = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));

describe("the names of counters", () => {
  it("are read back as they were written", fuzzLimits, async () => {
    await fuzz({
      name: "stat-name",
      inputs: fc.record({
        scope: fc.constantFrom(...statScopes),
        tag,
        direction: fc.constantFrom(...statDirections),
      }),
      holds: (name) => {
        const text = isTag(name.tag) ? formatStatName(name) : undefined;
        assert.deepEqual(
          text === undefined ? undefined : parseStatName(text),
          text === undefined ? undefined : name,
        );
        assert.equal((text ?? "a>>>b>>>c>>>d").split(">>>").length, 4);
      },
    });
  });

  it("are written back as they were read", fuzzLimits, async () => {
    await fuzz({
      name: "stat-name-text",
      inputs: fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join("")),
      holds: (text) => {
        const name = parseStatName(text);
        assert.equal(name === undefined ? text : formatStatName(name), text);
      },
    });
  });
});
