import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkConfig } from "../../src/config/check-config.js";
import { toConfig } from "../../src/config/to-config.js";
import { configErrorOf, issueLines } from "./issues.js";

describe("toConfig", () => {
  it("leaves the caller's object as it is", () => {
    const value = Object.freeze({
      inbounds: Object.freeze({ type: "mixed", listen_port: 0 }),
      outbounds: Object.freeze([Object.freeze({ type: "direct" })]),
    });
    assert.equal(toConfig(value).inbounds[0]?.tag, "0");
    assert.deepEqual(value, { inbounds: { type: "mixed", listen_port: 0 }, outbounds: [{ type: "direct" }] });
  });

  it("shares no list with the caller", () => {
    const access_control_allow_origin = ["https://panel.example"];
    const config = toConfig({ experimental: { v2ray_api: { access_control_allow_origin } } });
    access_control_allow_origin.push("https://evil.example");
    assert.deepEqual(config.experimental.v2ray_api.access_control_allow_origin, ["https://panel.example"]);
  });

  it("takes undefined for a missing value", () => {
    const value = {
      log: undefined,
      inbounds: [{ type: "mixed", listen_port: 1, tag: undefined, users: undefined }],
    };
    assert.deepEqual(toConfig(value), toConfig({ inbounds: [{ type: "mixed", listen_port: 1 }] }));
  });

  it("has no offsets, since there is no text", () => {
    assert.deepEqual(configErrorOf(() => toConfig({ log: { level: 5 }, x: 1 })).issues, [
      {
        path: "log.level",
        message: 'expected one of "trace", "debug", "info", "warn", "error", "fatal", "panic", got 5',
        offset: 0,
        length: 0,
      },
      {
        path: "x",
        message:
          'unknown key; expected one of "$schema", "log", "inbounds", "outbounds", "route", "experimental"',
        offset: 0,
        length: 0,
      },
    ]);
  });

  const noConfigs: readonly (readonly [value: unknown, line: string])[] = [
    [undefined, "missing; expected an object"],
    [null, "expected an object, got null"],
    [[], "expected an object, got a list"],
    ["{}", "expected an object, got a string"],
    [() => ({}), "expected an object, got a function"],
  ];
  for (const [value, line] of noConfigs) {
    it(`refuses what is no object: ${line}`, () => {
      assert.deepEqual(issueLines(value), [line]);
    });
  }

  it("survives values that JSON has not", () => {
    const loop: Record<string, unknown> = {};
    loop["log"] = loop;
    assert.deepEqual(issueLines({ log: { level: 10n, output: Symbol("x") }, route: { final: loop } }), [
      'log.level: expected one of "trace", "debug", "info", "warn", "error", "fatal", "panic", got a bigint',
      'log.output: expected a file path, "stdout" or "stderr", got a symbol',
      "route.final: expected the tag of an outbound, got an object",
    ]);
  });
});

describe("checkConfig", () => {
  it("has a config if there are no findings", () => {
    const { config, findings } = checkConfig({});
    assert.deepEqual(findings, []);
    assert.equal(config?.log.level, "info");
  });

  it("has no config if the schema finds something", () => {
    assert.deepEqual(checkConfig({ x: 1 }), {
      config: undefined,
      findings: [
        {
          path: ["x"],
          message:
            'unknown key; expected one of "$schema", "log", "inbounds", "outbounds", "route", "experimental"',
          at: "key",
        },
      ],
    });
  });

  it("has no config if a cross-check finds something", () => {
    assert.deepEqual(checkConfig({ route: { final: "x" } }), {
      config: undefined,
      findings: [
        {
          path: ["route", "final"],
          message: 'expected the tag of an outbound ("direct"), got "x"',
          at: "value",
        },
      ],
    });
  });
});
