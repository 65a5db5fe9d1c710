import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  GetStatsResponseSchema,
  QueryStatsResponseSchema,
} from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { encodeStat, StatWriter } from "../../src/rpc/stat-writer.js";
import { CounterSlab } from "../../src/stats/counter-slab.js";
import { Int64 } from "../../src/stats/int64.js";
import { createRandom } from "../helpers/random.js";

interface Stat {
  readonly name: string;
  readonly value: bigint;
}

/** What the writer makes of subjects with these tags, each direction with that value, and what protobuf-es does. */
function write(tags: readonly string[], valueOf: (place: number) => bigint) {
  const writer = new StatWriter();
  const stat: Stat[] = [];
  let slab = new CounterSlab();
  for (const tag of tags) {
    if (slab.isFull) slab = new CounterSlab();
    const first = slab.addSubject({ scope: "user", tag });
    for (const place of [first, first + 1]) {
      const value = valueOf(stat.length);
      writer.add(slab, place, Int64.of(value));
      stat.push({ name: slab.nameAt(place), value });
    }
  }
  const pieces = writer.finish();
  const expected = Buffer.from(
    toBinary(QueryStatsResponseSchema, create(QueryStatsResponseSchema, { stat })),
  );
  return { pieces, bytes: Buffer.concat(pieces), expected, stat };
}

const values = [
  0n,
  1n,
  2n,
  127n,
  128n,
  255n,
  300n,
  16_383n,
  16_384n,
  2n ** 21n - 1n,
  2n ** 21n,
  2n ** 28n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 31n + 1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 35n,
  2n ** 42n + 12_345n,
  2n ** 49n - 1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 56n - 1n,
  2n ** 56n,
  2n ** 60n + 7n,
  2n ** 62n,
  2n ** 63n - 1n,
];

describe("StatWriter", () => {
  it("writes nothing where nothing was added", () => {
    assert.deepEqual(new StatWriter().finish(), []);
  });

  for (const value of values) {
    it(`writes the value ${value} as protobuf-es does`, () => {
      const { bytes, expected, stat } = write(["alice"], () => value);
      assert.deepEqual(bytes, expected);
      assert.deepEqual(
        fromBinary(QueryStatsResponseSchema, bytes).stat.map(({ name, value: read }) => ({
          name,
          value: read,
        })),
        stat,
      );
    });
  }

  it("writes every power of two, and its neighbours, as protobuf-es does", () => {
    for (let exponent = 0n; exponent < 63n; exponent++) {
      for (const value of [2n ** exponent - 1n, 2n ** exponent, 2n ** exponent + 1n]) {
        const { bytes, expected } = write(["a"], () => value);
        assert.deepEqual(bytes, expected, `${value}`);
      }
    }
  });

  it("writes names of any length as protobuf-es does", () => {
    for (let length = 0; length <= 300; length++) {
      const { bytes, expected } = write(["x".repeat(length)], (place) => BigInt(place) << 40n);
      assert.deepEqual(bytes, expected, `${length} letters`);
    }
  });

  for (const unit of ["é", "中", "🦆", "e\u0301"]) {
    it(`writes names of ${unit} as protobuf-es does`, () => {
      for (let length = 0; length <= 100; length++) {
        const { bytes, expected } = write([unit.repeat(length)], () => 200n);
        assert.deepEqual(bytes, expected, `${length} times`);
      }
    });
  }

  it("writes names whose length takes three and four bytes", () => {
    for (const length of [16_383, 16_384, 70_000, 2 ** 21 + 5]) {
      const { bytes, expected } = write(["x".repeat(length), "y"], () => 1n);
      assert.ok(bytes.equals(expected), `${length} letters`);
    }
  });

  it("writes what takes several pieces, each full of whole stats", () => {
    const tags = Array.from({ length: 20_000 }, (_, index) => `user ${index}`);
    const { pieces, bytes, expected, stat } = write(tags, (place) => values[place % values.length] ?? 0n);
    assert.ok(bytes.equals(expected));
    assert.ok(pieces.length > 3);
    let listed = 0;
    for (const piece of pieces) {
      const part = fromBinary(QueryStatsResponseSchema, piece);
      assert.equal(part.stat[0]?.name, stat[listed]?.name);
      listed += part.stat.length;
    }
    assert.equal(listed, stat.length);
  });

  it("takes no more memory for a piece than it needs when there is little, and a mebibyte at most", () => {
    const few = write(["alice"], () => 5n);
    assert.deepEqual(
      few.pieces.map(({ buffer }) => buffer.byteLength),
      [4_096],
    );
    const tags = Array.from({ length: 40_000 }, (_, index) => `user ${index}`);
    const sizes = write(tags, () => 5n).pieces.map(({ buffer }) => buffer.byteLength);
    assert.deepEqual(sizes.slice(0, 5), [4_096, 16_384, 65_536, 262_144, 1_048_576]);
    assert.ok(sizes.every((size) => size <= 1_048_576));
  });

  it("has room for a stat wherever a piece ends", () => {
    for (let length = 3_900; length <= 4_100; length++) {
      const { bytes, expected } = write(["x".repeat(length), "y".repeat(50)], () => 2n ** 63n - 1n);
      assert.ok(bytes.equals(expected), `${length} letters`);
    }
  });

  it("writes random names and values as protobuf-es does", () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = createRandom(seed);
      const tags = Array.from({ length: 1 + random.below(200) }, () =>
        Array.from({ length: random.below(40) }, () => random.pick(["a", "é", "🦆", " ", "中"])).join(""),
      );
      const { bytes, expected } = write(tags, () => {
        const bits = BigInt(random.below(64));
        return (random.bytes(8).readBigUInt64LE() >> 1n) >> (62n - (bits > 62n ? 62n : bits));
      });
      assert.ok(bytes.equals(expected), `seed ${seed}`);
    }
  });
});

describe("encodeStat()", () => {
  for (const name of [
    "user>>>alice>>>traffic>>>uplink",
    "user>>>ünïcödé 🦆>>>traffic>>>uplink",
    "a".repeat(10_000),
  ]) {
    it(`writes the answer of GetStats as protobuf-es does, with a name of ${name.length} characters`, () => {
      for (const value of values) {
        const expected = toBinary(
          GetStatsResponseSchema,
          create(GetStatsResponseSchema, { stat: { name, value } }),
        );
        assert.deepEqual(Buffer.from(encodeStat(name, value)), Buffer.from(expected));
      }
    });
  }
});
