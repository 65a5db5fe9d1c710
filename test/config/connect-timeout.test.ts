import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const types: readonly (readonly [type: string, keys: object])[] = [
  ["direct", {}],
  ["socks", { server: "a", server_port: 1 }],
  ["http", { server: "a", server_port: 1 }],
];

for (const [type, keys] of types) {
  const withTimeout = (connect_timeout: unknown) => ({ outbounds: { type, ...keys, connect_timeout } });

  describe(`connect_timeout of an outbound of type ${type}`, () => {
    const right: readonly (readonly [text: string | undefined, ms: number])[] = [
      [undefined, 5_000],
      ["300ms", 300],
      ["5s", 5_000],
      ["1m30s", 90_000],
      ["1.1m", 66_000],
      ["30.1s", 30_100],
      ["1d", 86_400_000],
      ["2147483647ms", 2_147_483_647],
      ["1.6ms", 2],
      ["1ns", 1],
    ];
    for (const [text, ms] of right) {
      it(`is ${ms} ms if it is ${text ?? "missing"}`, () => {
        const [outbound] = toConfig(withTimeout(text)).outbounds;
        assert.ok(outbound !== undefined && outbound.type !== "block");
        assert.equal(outbound.connect_timeout, ms);
      });
    }

    const expected =
      'expected a duration such as "300ms", "5s" or "1m30s", longer than 0 and at most 2147483647ms';
    const wrong: readonly (readonly [value: unknown, got: string])[] = [
      ["", '""'],
      ["0", '"0"'],
      ["0s", '"0s"'],
      ["-5s", '"-5s"'],
      ["5", '"5"'],
      ["soon", '"soon"'],
      ["2147483648ms", '"2147483648ms"'],
      ["25d", '"25d"'],
      [5_000, "5000"],
      [null, "null"],
      [["5s"], "a list"],
    ];
    for (const [value, got] of wrong) {
      it(`is not ${JSON.stringify(value)}`, () => {
        const issue = `outbounds.connect_timeout: ${expected}, got ${got}`;
        assert.deepEqual(issueLines(withTimeout(value)), [issue]);
      });
    }
  });
}
