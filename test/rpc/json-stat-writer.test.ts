import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toJsonString } from "@bufbuild/protobuf";
import { QueryStatsResponseSchema } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { JsonStatWriter } from "../../src/rpc/json-stat-writer.js";
import { CounterSlab } from "../../src/stats/counter-slab.js";
import { Int64 } from "../../src/stats/int64.js";

/** What the writer makes of users with these names, the upload of each with a value, and what protobuf-es does. */
function write(names: readonly string[], valueOf: (index: number) => bigint) {
  const writer = new JsonStatWriter();
  let slab = new CounterSlab();
  const stat = names.map((tag, index) => {
    if (slab.isFull) slab = new CounterSlab();
    const place = slab.addSubject({ scope: "user", tag });
    const value = valueOf(index);
    writer.add(slab, place, Int64.of(value));
    return { name: slab.nameAt(place), value };
  });
  const expected = toJsonString(QueryStatsResponseSchema, create(QueryStatsResponseSchema, { stat }));
  const pieces = writer.finish();
  return { pieces, text: Buffer.concat(pieces).toString(), expected };
}

describe("JsonStatWriter", () => {
  it("writes what protobuf-es does, whatever the values", () => {
    const values = [0n, 1n, 10n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 0n];
    const { text, expected } = write(
      values.map((_, index) => `u${index}`),
      (index) => values[index] ?? 0n,
    );
    assert.equal(text, expected);
  });

  it("writes what protobuf-es does, whatever the names", () => {
    const names = [
      "ünïcödé 🦆",
      '"',
      "\\",
      "\0\n\r\t\x1f\x7f",
      "\u2028\u2029",
      "</script",
      "a".repeat(200_000),
    ];
    const { text, expected } = write(names, () => 5n);
    assert.equal(text, expected);
  });

  it("writes nothing as an empty message", () => {
    const { text, expected } = write([], () => 0n);
    assert.equal(text, "{}");
    assert.equal(text, expected);
  });

  it("writes many in pieces of no great length", () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `user ${index}`);
    const { pieces, text, expected } = write(names, BigInt);
    assert.equal(text, expected);
    assert.ok(pieces.length > 5);
    assert.ok(pieces.every(({ length }) => length < 70_000));
  });
});
