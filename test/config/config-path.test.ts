import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatConfigPath } from "../../src/config/config-path.js";

describe("formatConfigPath", () => {
  const cases: readonly (readonly [path: readonly (string | number)[], text: string])[] = [
    [[], ""],
    [["log"], "log"],
    [["log", "level"], "log.level"],
    [["inbounds", 0, "users", 1, "username"], "inbounds[0].users[1].username"],
    [["inbounds", 12], "inbounds[12]"],
    [["listen-port"], "listen-port"],
    [["$schema"], "$schema"],
    [["__proto__"], "__proto__"],
    [["log", "out put"], 'log["out put"]'],
    [["a.b"], '["a.b"]'],
    [["a", ""], 'a[""]'],
    [["a", "0"], 'a["0"]'],
    [["a", 'say "x"', "b"], 'a["say \\"x\\""].b'],
    [["\u001b[31m"], '["\\u001b[31m"]'],
    [["größe"], '["größe"]'],
  ];
  for (const [path, text] of cases) {
    it(`writes ${JSON.stringify(path)} as ${text}`, () => {
      assert.equal(formatConfigPath(path), text);
    });
  }
});
