import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { parse } from "jsonc-parser";
import { ConfigError, type ConfigIssue } from "../../src/config/config-error.js";
import { createConfigJsonSchema } from "../../src/config/json-schema.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { configTexts, passwordMark, withSlips } from "./config-texts.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

/** Far more than a config of a few kilobytes takes anywhere, and far less than a person would notice. */
const patienceMs = 5_000;

/** What is wrong with a text; nothing if it is a config. Any other outcome fails. */
function issuesIn(text: string): readonly ConfigIssue[] {
  const start = performance.now();
  try {
    parseConfig(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.issues.length > 0);
    return error.issues;
  } finally {
    const tookMs = performance.now() - start;
    assert.ok(tookMs < patienceMs, `took ${tookMs} ms`);
  }
}

/** Counts lines and columns from the front, as editors do. */
function positionOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r(?!\n)/);
  const last = lines.at(-1) ?? "";
  return { line: lines.length, column: last.length + 1 };
}

/** Pieces of JSON and of what is nearly JSON. */
const tokens = fc.constantFrom(
  ...wordsOf('{ } [ ] : , " null true - 1 1e9 // /* */ \\ \\u12 \uFEFF "a":1 "0" "tag" "type" "mixed"'),
  ...wordsOf('"inbounds" "users" "password" "listen_port" "__proto__"'),
  ...[" ", "\n", "\r", "\t"],
);
const soup = fc.string({ unit: tokens, maxLength: 60 });

const keys = [
  ...wordsOf("log inbounds outbounds route experimental v2ray_api stats rules final users type tag listen"),
  ...wordsOf("listen_port username password inbound auth_user outbound action level output disabled enabled"),
  ...wordsOf(
    "network domain domain_suffix domain_keyword ip_cidr ip_is_private source_ip_cidr port port_range",
  ),
  ...wordsOf("invert rule_set"),
  ...["access_control_allow_origin", "__proto__", "constructor", ""],
];
const values = [
  ...wordsOf("mixed socks direct block 0 in >>> 127.0.0.1 :0 route info"),
  ...wordsOf("reject sniff udp a.test .test 10.0.0.0/8 1:2 2:1"),
  ...["", null, true, false, 0, -1, 80, 65_536, 1.5],
];

/** JSON with the keys of a config and values that may be right, or nearly. */
const nearlyConfig = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown[]>(...values),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.constantFrom(...keys), tie("value"), { maxKeys: 6 }),
}));

function wordsOf(line: string): readonly string[] {
  return line.split(" ");
}

const valid = fc.constantFrom(...configTexts.map((text) => text.replaceAll(passwordMark, '"secret"')));
const text = fc.oneof(
  { arbitrary: fc.string({ unit: "binary", maxLength: 60 }), weight: 1 },
  { arbitrary: soup, weight: 2 },
  { arbitrary: fc.json({ maxDepth: 5 }), weight: 1 },
  { arbitrary: nearlyConfig.object.map((value) => JSON.stringify(value, undefined, 1)), weight: 3 },
  { arbitrary: withSlips(valid, { min: 0, max: 3 }), weight: 4 },
);

describe("parseConfig", () => {
  it("returns a config or throws a ConfigError that points into the text", fuzzLimits, async () => {
    await fuzz({
      name: "config-issues",
      inputs: text,
      holds: (written) => {
        const source = written.replace(/^\uFEFF/, "");
        for (const { offset, length, position, excerpt } of issuesIn(written)) {
          assert.ok(offset >= 0 && length >= 0 && offset + length <= source.length, `${offset} + ${length}`);
          assert.deepEqual(position, positionOf(source, offset));
          assert.ok(excerpt !== undefined);
          const { text: line, start, length: marked } = excerpt;
          assert.ok(start >= 0 && marked >= 0 && start + marked <= line.length, JSON.stringify(excerpt));
        }
      },
    });
  });

  it("takes but a moment for a long faulty text", fuzzLimits, async () => {
    await fuzz({
      name: "config-long",
      inputs: fc.record({
        begin: soup,
        again: fc.string({ unit: tokens, minLength: 1, maxLength: 6 }),
        count: fc.integer({ min: 1, max: 300 }),
        end: soup,
      }),
      holds: ({ begin, again, count, end }) => {
        issuesIn(begin + again.repeat(count) + end);
      },
    });
  });

  it("never shows a password", fuzzLimits, async () => {
    const password = fc.oneof(
      fc.stringMatching(/^[A-Z0-9]{12,20}$/),
      fc.stringMatching(/^[A-Z0-9]{6}[ "'\\/:@,{}[\]#*\n\té€]{1,3}[A-Z0-9]{6}$/),
    );
    const inputs = password.chain((secret) => {
      const texts = configTexts.map((template) => template.replaceAll(passwordMark, JSON.stringify(secret)));
      return fc.record({
        secret: fc.constant(secret),
        source: withSlips(fc.constantFrom(...texts), { min: 1, max: 1 }),
      });
    });
    await fuzz({
      name: "config-password",
      inputs,
      holds: ({ secret, source }) => {
        const parts = Array.from({ length: secret.length - 5 }, (_, start) => secret.slice(start, start + 6));
        for (const { path, message, excerpt } of issuesIn(source)) {
          const shown = [path, message, excerpt?.text ?? ""].join("\n");
          assert.deepEqual(
            parts.filter((part) => shown.includes(part)),
            [],
            shown,
          );
        }
      },
    });
  });

  it("accepts nothing that the JSON schema refuses", fuzzLimits, async () => {
    const validate = new Ajv2020({ allErrors: true }).compile(createConfigJsonSchema());
    await fuzz({
      name: "config-schema",
      inputs: text,
      holds: (source) => {
        const isConfig = issuesIn(source).length === 0;
        const value: unknown = parse(source.replace(/^\uFEFF/, ""), [], { allowTrailingComma: true });
        assert.ok(!isConfig || validate(value), JSON.stringify(validate.errors));
      },
    });
  });
});
