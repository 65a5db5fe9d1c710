import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { cliPath, rootPath } from "../helpers/cli.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const io = { timeout: 60_000 };
const unit = readFileSync(join(rootPath, "examples", "v2ray-api.service"), "utf8");

/** How exposed a service may be: from 0 to 100, and 96 without any sandbox. */
const maxExposure = "15";

async function analyze(t: TestContext, text: string, ...args: readonly string[]): Promise<ProgramResult> {
  const path = createTempDir(t).write("v2ray-api.service", text);
  return runProgram("systemd-analyze", [...args, path], { timeoutMs: 50_000 });
}

describe("examples/v2ray-api.service", () => {
  it("runs the command on the usual config, and hands it the signal to read that again", () => {
    assert.match(unit, /^ExecStart=\/usr\/local\/bin\/v2ray-api run -c \/etc\/v2ray-api\/config\.json$/m);
    assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  });

  it("leaves V8 its executable memory", () => {
    assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=/m);
  });

  it("tells the reason of what it sets", () => {
    // Each setting stands below a comment, or below one that does.
    for (const paragraph of unit.split(/\n\n+/).filter((lines) => !lines.startsWith("[Install]"))) {
      assert.match(paragraph, /^(\[\w+\]\n[\w=: /.-]+\n[\w=: /.-]+\n)?#|^\[Service\]\n#/, paragraph);
    }
  });
});

describe("systemd-analyze", { ...io, ...needs("systemd-analyze") }, () => {
  it("finds nothing wrong with the unit", async (t) => {
    // It looks for the program.
    const installed = unit.replaceAll("/usr/local/bin/v2ray-api", `${process.execPath} ${cliPath}`);
    const { code, stdout, stderr } = await analyze(t, installed, "verify", "--man=no");
    // Units of the machine may have faults of their own.
    const ours = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("v2ray-api"));
    assert.deepEqual([code, ours], [0, []]);
  });

  const security = ["security", "--offline=true", "--no-pager", `--threshold=${maxExposure}`];

  it("finds it hardly exposed", async (t) => {
    const { code, stdout } = await analyze(t, unit, ...security);
    assert.match(stdout, /Overall exposure level for v2ray-api\.service: \d\.\d OK/);
    assert.equal(code, 0, stdout);
  });

  for (const setting of ["SystemCallFilter", "CapabilityBoundingSet", "DynamicUser"]) {
    it(`finds it more exposed without ${setting}=`, async (t) => {
      const less = unit.replaceAll(new RegExp(`^${setting}=.*\n`, "gm"), "");
      assert.notEqual(less, unit);
      const { code, stdout } = await analyze(t, less, ...security);
      assert.notEqual(code, 0, stdout);
    });
  }
});
