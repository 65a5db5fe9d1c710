import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

describe("outbounds", () => {
  const direct = { type: "direct", connect_timeout: 5_000 };

  for (const config of [{}, { outbounds: [] }]) {
    it(`are one called direct in ${JSON.stringify(config)}`, () => {
      assert.deepEqual(toConfig(config).outbounds, [
        { type: "direct", tag: "direct", connect_timeout: 5_000 },
      ]);
    });
  }

  it("are called by their index if they have no tag", () => {
    const outbounds = [{ type: "direct" }, { type: "direct", tag: "out" }, { type: "block" }];
    assert.deepEqual(toConfig({ outbounds }).outbounds, [
      { ...direct, tag: "0" },
      { ...direct, tag: "out" },
      { type: "block", tag: "2" },
    ]);
  });

  it("may be a single one", () => {
    assert.deepEqual(toConfig({ outbounds: { type: "direct" } }).outbounds, [{ ...direct, tag: "0" }]);
  });

  it("are new for each config", () => {
    assert.notEqual(toConfig({}).outbounds[0], toConfig({}).outbounds[0]);
  });

  const tag = 'expected a tag that is not empty, does not contain ">>>" and does not end with ">"';
  const cases: readonly (readonly [outbounds: unknown, issue: string])[] = [
    [[{ type: "dns" }], 'outbounds[0].type: expected one of "direct", "socks", "http", "block", got "dns"'],
    [
      [{ type: "direct" }, {}],
      'outbounds[1].type: missing; expected one of "direct", "socks", "http", "block"',
    ],
    [[{ type: "block", tag: "" }], `outbounds[0].tag: ${tag}, got ""`],
    [[{ type: "block", reason: "x" }], 'outbounds[0].reason: unknown key; expected one of "type", "tag"'],
    [[{ type: "direct", tag: "" }], `outbounds[0].tag: ${tag}, got ""`],
    [[{ type: "direct", tag: ">>>" }], `outbounds[0].tag: ${tag}, got ">>>"`],
    [[{ type: "direct", tag: "a>" }], `outbounds[0].tag: ${tag}, got "a>"`],
    [{ type: "direct", tag: true }, `outbounds.tag: ${tag}, got true`],
    [
      [{ type: "direct", detour: "x" }],
      'outbounds[0].detour: unknown key; expected one of "type", "tag", "connect_timeout"',
    ],
    ["direct", "outbounds: expected an object, got a string"],
    [null, "outbounds: expected an object, got null"],
  ];
  for (const [outbounds, issue] of cases) {
    it(`refuse ${JSON.stringify(outbounds)}`, () => {
      assert.deepEqual(issueLines({ outbounds }), [issue]);
    });
  }
});
