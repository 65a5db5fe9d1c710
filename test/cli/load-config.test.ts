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
      lines.map((line) => line.split(":", 1).join()),
      ["dns", "log.level", ""],
    );
  });
});
