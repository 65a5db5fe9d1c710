import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { childOf, isObject, itemsOf, placeOf, textAt } from "../../src/config/place.js";

const root = (value: unknown) => ({ path: [], value });

describe("childOf", () => {
  it("is what an object holds under a key", () => {
    assert.deepEqual(childOf(root({ a: 1 }), "a"), { path: ["a"], value: 1 });
  });

  const without: readonly unknown[] = [{}, [1], "text", 5, null, undefined];
  for (const value of without) {
    it(`is undefined in ${JSON.stringify(value)}`, () => {
      assert.deepEqual(childOf(root(value), "length"), { path: ["length"], value: undefined });
    });
  }

  it("takes nothing from a prototype", () => {
    assert.equal(childOf(root({}), "constructor").value, undefined);
    assert.equal(childOf(root({}), "__proto__").value, undefined);
  });

  it("reads an own key __proto__", () => {
    assert.equal(childOf(root(JSON.parse('{"__proto__": 5}')), "__proto__").value, 5);
  });
});

describe("itemsOf", () => {
  it("has a path with an index for each item of a list", () => {
    assert.deepEqual(itemsOf({ path: ["a"], value: ["x", "y"] }), [
      { path: ["a", 0], value: "x" },
      { path: ["a", 1], value: "y" },
    ]);
  });

  it("has a single item with the path of its own", () => {
    assert.deepEqual(itemsOf({ path: ["a"], value: "x" }), [{ path: ["a"], value: "x" }]);
  });

  it("has none where the list is missing", () => {
    assert.deepEqual(itemsOf(root(undefined)), []);
  });
});

describe("textAt", () => {
  it("is a string", () => {
    assert.equal(textAt(root("x")), "x");
  });

  it("is undefined for anything else", () => {
    assert.deepEqual(
      [5, null, ["x"], {}].map((value) => textAt(root(value))),
      [undefined, undefined, undefined, undefined],
    );
  });
});

describe("placeOf", () => {
  const value = { inbounds: [{ users: { username: "a" } }], outbounds: { tag: "b" } };

  it("follows keys and indexes", () => {
    assert.deepEqual(placeOf(root(value), ["inbounds", 0]), {
      path: ["inbounds", 0],
      value: value.inbounds[0],
    });
  });

  it("leaves out the index of a single item that stands for a list", () => {
    assert.deepEqual(placeOf(root(value), ["outbounds", 0, "tag"]), {
      path: ["outbounds", "tag"],
      value: "b",
    });
    assert.deepEqual(placeOf(root(value), ["inbounds", 0, "users", 0, "username"]), {
      path: ["inbounds", 0, "users", "username"],
      value: "a",
    });
  });

  it("goes on where there is nothing", () => {
    assert.deepEqual(placeOf(root(value), ["log", "level"]), { path: ["log", "level"], value: undefined });
  });
});

describe("isObject", () => {
  it("is true for an object alone", () => {
    assert.deepEqual([{}, [], null, "x", 5, undefined].map(isObject), [
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
