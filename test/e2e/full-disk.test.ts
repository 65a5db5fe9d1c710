import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { cliPath } from "../helpers/cli.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const onLinux = {
  timeout: 30_000,
  skip: process.platform === "linux" ? false : "only Linux has a /dev/full",
};

/** Runs the built command line, and hands its stdout to what stands behind `to`. */
async function runInto(to: string, args: readonly string[]): Promise<ProgramResult> {
  return runProgram("sh", ["-c", `"$@" ${to}`, "sh", process.execPath, cliPath, ...args]);
}

describe("v2ray-api, with a disk that is full", () => {
  it("says what is lost, and exits with 1", onLinux, async (t) => {
    const { address, counters } = await startFamilyServer(t, "V2Ray 5");
    for (const [command, reset] of [
      [["stats", "-s", address], "--reset"],
      [["get", "-s", address, "user>>>alice>>>traffic>>>uplink"], "--reset"],
      [["api", "statsquery", "-s", address], "-reset"],
    ] as const) {
      counters.set("user>>>alice>>>traffic>>>uplink", 1n);
      const unwritten = "v2ray-api: the output cannot be written (no space left on device)";
      assert.deepEqual(await runInto(">/dev/full", command), {
        code: 1,
        stdout: "",
        stderr: `${unwritten}\n`,
      });
      assert.deepEqual(await runInto(">/dev/full", [...command, reset]), {
        code: 1,
        stdout: "",
        stderr: `${unwritten}, and what was reset is lost\n`,
      });
    }
  });

  it("says so, too, where there is room for the beginning only", onLinux, async (t) => {
    const { address, counters } = await startFamilyServer(t, "V2Ray 5");
    for (let index = 0; index < 100; index++) counters.set(`${index}${"x".repeat(1_000)}`, 1n);
    const path = createTempDir(t).join("stats.txt");
    // In blocks of 512 bytes, or of a kilobyte.
    const command = `ulimit -f 9 && "$@" >>${path}`;
    const args = ["-c", command, "sh", process.execPath, cliPath, "stats", "-s", address];
    const unwritten = "v2ray-api: the output cannot be written (file too large)";
    assert.deepEqual(await runProgram("sh", args), { code: 1, stdout: "", stderr: `${unwritten}\n` });
    assert.match(readFileSync(path, "utf8"), /^ {4}Value {7}Name\n1 {3}1\.00B/);
    assert.deepEqual(await runProgram("sh", [...args, "--reset"]), {
      code: 1,
      stdout: "",
      stderr: `${unwritten}, and what was reset is lost\n`,
    });
  });

  it("minds no reader who goes away early", onLinux, async (t) => {
    const { address, counters } = await startFamilyServer(t, "V2Ray 5");
    // More than a pipe holds.
    for (let index = 0; index < 2_000; index++) counters.set(`${index}${"x".repeat(1_000)}`, 1n);
    const { stdout, stderr } = await runInto("| head -n 1", ["stats", "-s", address]);
    assert.deepEqual([stdout, stderr], ["    Value       Name\n", ""]);
  });
});
