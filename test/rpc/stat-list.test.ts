import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { QueryStatsResponseSchema } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatList } from "../../src/rpc/stat-list.js";

/** What a client reads of an answer with these counters, and how long it is. */
function roundTrip(counters: readonly (readonly [name: string, value: bigint])[]) {
  const list = new StatList();
  for (const [name, value] of counters) list.add(name, value);
  const message = create(QueryStatsResponseSchema);
  message.$unknown = list.toUnknown();
  const bytes = toBinary(QueryStatsResponseSchema, message);
  const { stat } = fromBinary(QueryStatsResponseSchema, bytes);
  return { read: stat.map(({ name, value }): [string, bigint] => [name, value]), bytes };
}

describe("StatList", () => {
  for (const value of [
    ...[0n, 1n, 127n, 128n, 16_383n, 16_384n, 2n ** 31n, 2n ** 32n, 2n ** 35n - 1n, 2n ** 52n],
    ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 60n + 5n, 2n ** 63n - 1n],
  ]) {
    it(`writes ${value} as protobuf-es does`, () => {
      const counters: [string, bigint][] = [["user>>>alice>>>traffic>>>uplink", value]];
      const { read, bytes } = roundTrip(counters);
      assert.deepEqual(read, counters);
      const stat = counters.map(([name]) => ({ name, value }));
      const plain = toBinary(QueryStatsResponseSchema, create(QueryStatsResponseSchema, { stat }));
      assert.deepEqual(Buffer.from(bytes), Buffer.from(plain));
    });
  }

  for (const name of ["", "x", "x".repeat(127), "x".repeat(128), "x".repeat(20_000), "ünï日本🦊"]) {
    it(`writes a name of ${name.length} characters`, () => {
      assert.deepEqual(roundTrip([[name, 5n]]).read, [[name, 5n]]);
    });
  }

  it("writes many in their order", () => {
    const counters = Array.from({ length: 10_000 }, (_, index): [string, bigint] => [
      `user>>>user-${index}>>>traffic>>>uplink`,
      BigInt(index) ** 4n,
    ]);
    assert.deepEqual(roundTrip(counters).read, counters);
  });

  it("is nothing where there are none", () => {
    assert.deepEqual(new StatList().toUnknown(), []);
  });
});
