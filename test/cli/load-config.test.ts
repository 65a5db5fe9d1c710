import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/cli/load-config.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { createTempDir } from "../helpers/temp-dir.js";

describe("loadConfig", () => {
  it("returns a config that is right, and prints nothing", async (t) => {
    const process = new FakeProcess();
    const config = await loadConfig(createTempDir(t).write("c.json", "{}"), process);
    assert.deepEqual(config, parseConfig("{}"));
    assert.deepEqual(process.printed, { stdout: "", stderr: "" });
  });

  it("counts the errors, prints a line for each, and returns nothing", async (t) => {
    const process = new FakeProcess();
    const path = createTempDir(t).write("c.json", '{"dns": {}, "log": {"level": 5}}');
    assert.equal(await loadConfig(path, process), undefined);
    const [first, ...lines] = process.printed.stderr.split("\n");
    assert.equal(first, `${path}: 2 errors`);
    assert.deepEqual(
      lines.map((line) => line.split(": ", 2).join(": ")),
      [`${path}:1:2: dns`, `${path}:1:30: log.level`, ""],
    );
    assert.equal(process.printed.stdout, "");
  });

  const terminals: readonly (readonly [isTTY: boolean | undefined, lines: readonly string[]])[] = [
    [true, ['  2 |   "dns": {}', "    |   ^^^^^"]],
    [false, []],
    [undefined, []],
  ];
  for (const [isTTY, shown] of terminals) {
    it(`shows ${shown.length} lines of the source where stderr says isTTY ${isTTY}`, async (t) => {
      const process = new FakeProcess();
      Object.assign(process.stderr, { isTTY });
      const path = createTempDir(t).write("c.json", '{\n  "dns": {}\n}');
      assert.equal(await loadConfig(path, process), undefined);
      const lines = process.printed.stderr.split("\n");
      assert.match(lines[1] ?? "", /c\.json:2:3: dns: unknown key; /);
      assert.deepEqual([lines[0], ...lines.slice(2)], [`${path}: 1 error`, ...shown, ""]);
    });
  }

  it("shows no line of a file that cannot be read", async (t) => {
    const process = new FakeProcess();
    Object.assign(process.stderr, { isTTY: true });
    const path = createTempDir(t).join("none.json");
    assert.equal(await loadConfig(path, process), undefined);
    const reason = `cannot read "${path}": there is no such file`;
    assert.equal(process.printed.stderr, `${path}: 1 error\n${reason}\n`);
  });
});
