import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { startFamilyServer, type FamilyServer } from "../helpers/family-server.js";
import { systemError } from "../helpers/system-error.js";
import { createTempDir } from "../helpers/temp-dir.js";

const io = { timeout: 10_000 };

const uplink = "user>>>alice>>>traffic>>>uplink";
const unwritten = "v2ray-api: the output cannot be written (no space left on device)";

async function start(t: TestContext): Promise<FamilyServer> {
  const family = await startFamilyServer(t, "Xray");
  family.counters.set(uplink, 1_023n);
  family.online.set("user>>>alice>>>online", { "192.0.2.7": 1_700_000_000n });
  return family;
}

/** Runs a command whose output nothing takes. */
async function run(args: readonly string[], code: "ENOSPC" | "EPIPE") {
  const process = new FakeProcess();
  process.stdout.failure = systemError(code);
  const exitCode = await runCommandLine(args, process);
  return { exitCode, stderr: process.printed.stderr };
}

const reading: readonly (readonly string[])[] = [
  ["stats"],
  ["stats", "--json"],
  ["get", uplink],
  ["sys"],
  ["online"],
  ["online", "alice"],
  ["top", "-i", "0.001"],
  ["api", "stats"],
  ["api", "stats", "-runtime"],
  ["api", "stats", "-name", uplink],
  ["api", "statsquery"],
  ["api", "statssys"],
  ["api", "statsonline", "-email", "alice"],
  ["api", "statsonlineiplist", "-email", "alice"],
  ["api", "statsgetallonlineusers"],
];
const resetting: readonly (readonly string[])[] = [
  ["stats", "--reset", "alice"],
  ["stats", "--reset", "--json"],
  ["get", "--reset", uplink],
  ["api", "stats", "-reset"],
  ["api", "stats", "-reset", "-name", uplink],
  ["api", "statsquery", "-reset"],
];
const others: readonly (readonly string[])[] = [
  ["completion", "bash"],
  ["--help"],
  ["help", "stats"],
  ["stats", "--help"],
  ["api", "--help"],
  ["api", "stats", "-help"],
];

/** The address of the server behind the words that name the command. */
function at(address: string, args: readonly string[]): readonly string[] {
  const words = args[0] === "api" ? 2 : 1;
  return [...args.slice(0, words), "-s", address, ...args.slice(words)];
}

describe("output that cannot be written", () => {
  for (const args of reading) {
    it(`is said to be so, and is no success, after ${JSON.stringify(args)}`, io, async (t) => {
      const { address } = await start(t);
      assert.deepEqual(await run(at(address, args), "ENOSPC"), { exitCode: 1, stderr: `${unwritten}\n` });
    });

    it(`is all right where nobody reads any more after ${JSON.stringify(args)}`, io, async (t) => {
      const { address } = await start(t);
      assert.deepEqual(await run(at(address, args), "EPIPE"), { exitCode: 0, stderr: "" });
    });
  }

  for (const args of resetting) {
    for (const [code, reason] of [
      ["ENOSPC", "no space left on device"],
      ["EPIPE", "broken pipe"],
    ] as const) {
      it(`is told to be lost for ${code} after ${JSON.stringify(args)}`, io, async (t) => {
        const { address, counters } = await start(t);
        assert.deepEqual(await run(at(address, args), code), {
          exitCode: 1,
          stderr: `v2ray-api: the output cannot be written (${reason}), and what was reset is lost\n`,
        });
        assert.equal(counters.get(uplink), 0n);
      });
    }
  }

  for (const args of others) {
    it(`is said to be so after ${JSON.stringify(args)}`, async () => {
      assert.deepEqual(await run(args, "ENOSPC"), { exitCode: 1, stderr: `${unwritten}\n` });
      const { stderr } = await run(args, "EPIPE");
      assert.equal(stderr, "");
    });
  }

  it("is said to be so where a config is checked", async (t) => {
    const config = createTempDir(t).write("config.json", "{}");
    assert.deepEqual(await run(["check", "-c", config], "ENOSPC"), { exitCode: 1, stderr: `${unwritten}\n` });
  });
});
