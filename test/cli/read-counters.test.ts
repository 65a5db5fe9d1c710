import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { startFamilyServer, type FamilyServer } from "../helpers/family-server.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 10_000 };

const alice = "user>>>alice>>>traffic>>>uplink";
const table = `    Value       Name
1   7.00B       ${alice}

Total: 7.00B
`;

/** A server that answers one call, and no other. */
async function start(t: TestContext): Promise<FamilyServer> {
  const family = await startFamilyServer(t, "V2Ray 5");
  family.counters.set(alice, 7n).set("user>>>bob>>>traffic>>>uplink", 8n);
  family.hangFrom = 2;
  return family;
}

describe("a reset that is interrupted", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    it(`prints at ${signal} what it has reset, and says that it is not all`, io, async (t) => {
      const family = await start(t);
      const process = new FakeProcess();
      const args = ["stats", "-s", family.address, "-t", "9999", "--reset", "alice", "bob"];
      const running = runCommandLine(args, process);
      await until(() => family.calls.length === 2);
      process.emit(signal);
      assert.equal(await running, 1);
      assert.deepEqual(process.printed, {
        stdout: table,
        stderr: `v2ray-api: ${family.address}: interrupted before it answered\n`,
      });
      assert.equal(family.counters.get(alice), 0n);
      assert.deepEqual(process.eventNames(), []);
    });
  }

  it("does so in V2Ray's spelling, and with expressions", io, async (t) => {
    for (const args of [
      ["api", "stats", "-t=9999", "-reset", "-json", "alice", "bob"],
      ["api", "stats", "-t=9999", "-reset", "-json", "-regexp", "al.ce", "b.b"],
    ]) {
      const family = await start(t);
      // It is asked first whether it knows expressions.
      const count = args.includes("-regexp") ? 3 : 2;
      family.hangFrom = count;
      const process = new FakeProcess();
      const [group = "", name = "", ...rest] = args;
      const running = runCommandLine([group, name, "-s", family.address, ...rest], process);
      await until(() => family.calls.length === count);
      process.emit("SIGTERM");
      assert.equal(await running, 1);
      assert.equal(process.printed.stdout, `{"stat":[{"name":"${alice}","value":"7"}]}\n`);
    }
  });

  it("has nothing to print where nothing was answered", io, async (t) => {
    const family = await start(t);
    family.hangFrom = 1;
    for (const patterns of [[], ["alice"], ["alice", "bob"]]) {
      const process = new FakeProcess();
      const count = family.calls.length + 1;
      const args = ["stats", "-s", family.address, "-t", "9999", "--reset", ...patterns];
      const running = runCommandLine(args, process);
      await until(() => family.calls.length === count);
      process.emit("SIGINT");
      assert.equal(await running, 1);
      assert.deepEqual(process.printed, {
        stdout: "",
        stderr: `v2ray-api: ${family.address}: interrupted before it answered\n`,
      });
    }
  });

  it("no longer minds signals once it prints", io, async (t) => {
    const family = await start(t);
    const process = new FakeProcess();
    const listening: boolean[] = [];
    process.on("printed", () => listening.push(process.listenerCount("SIGINT") > 0));
    assert.equal(await runCommandLine(["stats", "-s", family.address, "--reset", "alice"], process), 0);
    assert.deepEqual(listening, [false]);
  });
});

describe("a reading that resets nothing", () => {
  it("leaves the signals to end the process", io, async (t) => {
    const family = await start(t);
    family.hangFrom = 1;
    const process = new FakeProcess();
    const running = runCommandLine(["stats", "-s", family.address, "-t", "0.2", "alice"], process);
    await until(() => family.calls.length === 1);
    assert.deepEqual(process.eventNames(), []);
    assert.equal(await running, 1);
  });
});
