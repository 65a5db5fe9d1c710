import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "../helpers/fake-process.js";

const usage =
  "usage:\n" +
  "  v2ray-api run [-c FILE]         run the proxy and the V2Ray API that a config describes\n" +
  "  v2ray-api check [-c FILE]       check a config: prints ok, or everything that is wrong with it\n";

describe("runCommandLine", () => {
  const helped: readonly (readonly [args: readonly string[], code: number])[] = [
    [[], 2],
    [["--help"], 0],
    [["-h"], 0],
    [["help"], 0],
    [["help", "run"], 0],
  ];
  for (const [args, code] of helped) {
    it(`prints the usage and exits with ${code} after ${JSON.stringify(args)}`, async () => {
      const process = new FakeProcess();
      assert.equal(await runCommandLine(args, process), code);
      assert.deepEqual(process.printed, { stdout: usage, stderr: "" });
    });
  }

  for (const name of ["serve", "RUN", "", "-c", "constructor", 'a"\n']) {
    it(`names the unknown command ${JSON.stringify(name)}`, async () => {
      const process = new FakeProcess();
      assert.equal(await runCommandLine([name], process), 2);
      const stderr = `v2ray-api: unknown command ${JSON.stringify(name)}\n\n${usage}`;
      assert.deepEqual(process.printed, { stdout: "", stderr });
    });
  }

  for (const [command, summary] of [
    ["run", "run the proxy and the V2Ray API that a config describes"],
    ["check", "check a config: prints ok, or everything that is wrong with it"],
  ] as const) {
    for (const option of ["--help", "-h"]) {
      it(`explains ${command} after ${option}`, async () => {
        const process = new FakeProcess();
        assert.equal(await runCommandLine([command, option, "whatever"], process), 0);
        const stdout = `usage:\n${`  v2ray-api ${command} [-c FILE]`.padEnd(34)}${summary}\n`;
        assert.deepEqual(process.printed, { stdout, stderr: "" });
      });
    }
  }

  const misused: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
    [["--nope"], /'--nope'/],
    [["extra"], /'extra'/],
    [["-c"], /-c/],
    [["-c", "--help"], /-c/],
  ];
  for (const command of ["run", "check"]) {
    for (const [args, reason] of misused) {
      it(`says how to use ${command} after ${JSON.stringify(args)}`, async () => {
        const process = new FakeProcess();
        assert.equal(await runCommandLine([command, ...args], process), 2);
        const [first = "", ...others] = process.printed.stderr.split("\n");
        assert.ok(first.startsWith(`v2ray-api ${command}: `), first);
        assert.match(first, reason);
        assert.deepEqual(others.slice(-2), [`usage: v2ray-api ${command} [-c FILE]`, ""]);
        assert.equal(process.printed.stdout, "");
      });
    }
  }
});
