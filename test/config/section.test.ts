import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { listOrOne } from "../../src/config/list-or-one.js";
import { oneOf, section, typeOneOf } from "../../src/config/section.js";

const messagesOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message);

describe("section", () => {
  const schema = section({ a: z.literal(1), b: z.literal(2) });

  it("takes an object with its keys", () => {
    assert.deepEqual(schema.parse({ a: 1, b: 2 }), { a: 1, b: 2 });
  });

  it("expects its keys in place of others", () => {
    assert.deepEqual(messagesOf(schema, { a: 1, b: 2, c: 3 }), ['one of "a", "b"']);
  });

  it("expects an object", () => {
    assert.deepEqual(messagesOf(schema, 5), ["an object"]);
  });
});

describe("typeOneOf", () => {
  const schema = z.discriminatedUnion(
    "type",
    [section({ type: z.literal("x") }), section({ type: z.literal("y") })],
    {
      error: typeOneOf(["x", "y"]),
    },
  );

  it("expects one of the types", () => {
    assert.deepEqual(messagesOf(schema, { type: "z" }), ['one of "x", "y"']);
  });

  it("expects an object", () => {
    assert.deepEqual(messagesOf(schema, "x"), ["an object"]);
  });
});

describe("oneOf", () => {
  it("names a single choice", () => {
    assert.equal(oneOf(["a"]), '"a"');
  });

  it("names several choices", () => {
    assert.equal(oneOf(["a", "b"]), 'one of "a", "b"');
  });
});

describe("listOrOne", () => {
  const schema = listOrOne(z.string());
  const cases: readonly (readonly [value: unknown, list: readonly string[]])[] = [
    [
      ["a", "b"],
      ["a", "b"],
    ],
    ["a", ["a"]],
    [[], []],
  ];
  for (const [value, list] of cases) {
    it(`reads ${JSON.stringify(value)} as ${JSON.stringify(list)}`, () => {
      assert.deepEqual(schema.parse(value), list);
    });
  }

  it("takes no list in place of an item", () => {
    assert.equal(schema.safeParse([["a"]]).success, false);
  });
});
