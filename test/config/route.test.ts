import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines } from "./issues.js";

describe("route", () => {
  const cases: readonly (readonly [route: unknown, issue: string])[] = [
    [null, "route: expected an object, got null"],
    [[], "route: expected an object, got a list"],
    [{ rules: null }, "route.rules: expected an object, got null"],
    [{ rules: "direct" }, "route.rules: expected an object, got a string"],
    [{ rules: [], default: "direct" }, 'route.default: unknown key; expected one of "rules", "final"'],
    // What rules have in sing-box is nothing that `route` has.
    [{ domain_regex: "x" }, 'route.domain_regex: unknown key; expected one of "rules", "final"'],
  ];
  for (const [route, issue] of cases) {
    it(`refuses ${JSON.stringify(route)}`, () => {
      assert.deepEqual(issueLines({ route }), [issue]);
    });
  }
});
