import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { endSignals } from "../../src/cli/stop-signals.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { startFamilyServer, type FamilyServer } from "../helpers/family-server.js";
import { systemError } from "../helpers/system-error.js";

const io = { timeout: 10_000 };

const uplink = "user>>>alice>>>traffic>>>uplink";
const totals = "1.00KB      2.00B";

async function start(t: TestContext): Promise<FamilyServer> {
  const family = await startFamilyServer(t, "Xray");
  family.counters
    .set(uplink, 1_024n)
    .set("user>>>alice>>>traffic>>>downlink", 2n)
    .set("inbound>>>in>>>traffic>>>uplink", 1_024n)
    .set("outbound>>>out>>>traffic>>>downlink", 2n);
  return family;
}

/** Waits until it has printed what matches. */
async function printed(process: FakeProcess, pattern: RegExp): Promise<void> {
  while (!pattern.test(process.printed.stdout)) await once(process, "printed");
}

/** A process whose keys come from a terminal, and go to one. */
function onTerminal(): FakeProcess {
  const process = new FakeProcess();
  process.stdin.isTTY = true;
  process.stdout.isTTY = true;
  return process;
}

const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

describe("v2ray-api top, in a pipe", () => {
  it("prints as many tables as it is asked for, plain", io, async (t) => {
    const family = await start(t);
    const process = new FakeProcess();
    const args = ["top", "-s", family.address, "-i", "0.001", "-n", "2"];
    assert.equal(await runCommandLine(args, process), 0);
    const table = [
      "Up/s        Down/s      Up          Down        User",
      `0           0           ${totals}       alice`,
      "",
      `0           0           ${totals}       all 1`,
      "",
    ].join("\n");
    assert.deepEqual(process.printed, { stdout: `${table}\n${table}`, stderr: "" });
    assert.deepEqual(process.eventNames(), []);
    assert.equal(family.counters.get(uplink), 1_024n);
  });

  it("shows what moves", io, async (t) => {
    const family = await start(t);
    const process = new FakeProcess();
    const push = family.calls.push.bind(family.calls);
    family.calls.push = (...calls) => {
      family.counters.set(uplink, (family.counters.get(uplink) ?? 0n) + 1_000_000n);
      return push(...calls);
    };
    await runCommandLine(["top", "-s", family.address, "-i", "0.001", "-n", "1"], process);
    assert.match(process.printed.stdout, /^[\d.]+[KMG]B +0 +1\.91MB +2\.00B +alice$/m);
  });

  it("shows inbounds or outbounds instead", io, async (t) => {
    const { address } = await start(t);
    for (const [scope, title, tag] of [
      ["inbound", "Inbound", "in"],
      ["outbound", "Outbound", "out"],
    ] as const) {
      const process = new FakeProcess();
      await runCommandLine(["top", "-s", address, "-i", "0.001", "-n", "1", "--by", scope], process);
      const lines = process.printed.stdout.split("\n");
      assert.match(lines[0] ?? "", new RegExp(` ${title}$`));
      assert.match(lines[1] ?? "", new RegExp(` ${tag}$`));
    }
  });

  for (const signal of endSignals) {
    it(`ends with ${signal}`, io, async (t) => {
      const { address } = await start(t);
      const process = new FakeProcess();
      const running = runCommandLine(["top", "-s", address, "-i", "0.001"], process);
      await printed(process, /alice/);
      process.emit(signal);
      assert.equal(await running, 0);
      assert.deepEqual(process.eventNames(), []);
    });
  }

  for (const signal of endSignals) {
    it(`ends with ${signal} while nobody reads what it prints`, io, async (t) => {
      const { address } = await start(t);
      const process = new FakeProcess();
      process.stdout.isStuck = true;
      const running = runCommandLine(["top", "-s", address, "-i", "0.001"], process);
      await printed(process, /alice/);
      process.emit(signal);
      assert.equal(await running, 0);
      assert.deepEqual(process.eventNames(), []);
    });
  }

  it("ends when nobody reads any more", io, async (t) => {
    const { address } = await start(t);
    const process = new FakeProcess();
    process.stdout.failure = systemError("EPIPE");
    assert.equal(await runCommandLine(["top", "-s", address, "-i", "0.001"], process), 0);
  });

  it("ends with 1 when the server no longer answers", io, async (t) => {
    const family = await start(t);
    family.failFrom = 3;
    const process = new FakeProcess();
    assert.equal(await runCommandLine(["top", "-s", family.address, "-i", "0.001"], process), 1);
    assert.match(process.printed.stdout, /alice/);
    assert.equal(
      process.printed.stderr,
      `v2ray-api: ${family.address}: no more of this (ResourceExhausted)\n`,
    );
  });
});

describe("v2ray-api top, on a terminal", () => {
  it("shows what the keys say, without waiting, and q quits", io, async (t) => {
    const { address } = await start(t);
    const process = onTerminal();
    // It reads once, and never again.
    const running = runCommandLine(["top", "-s", address, "-i", "99999"], process);
    await printed(process, /alice/);
    assert.ok(process.printed.stdout.includes(`v2ray-api top ${address}\u001b[K`));
    assert.ok(process.printed.stdout.includes("u users  i inbounds  o outbounds  q quit"));
    for (const [key, tag] of [
      ["i", "in"],
      ["o", "out"],
      ["u", "alice"],
      ["x", "alice"],
    ] as const) {
      process.printed.stdout = "";
      process.stdin.emit("data", key);
      assert.match(process.printed.stdout, new RegExp(` ${tag}\u001b`));
    }
    process.stdin.emit("data", "q");
    assert.equal(await running, 0);
    assert.ok(process.printed.stdout.endsWith(leave));
    assert.deepEqual(process.stdin.calls.slice(-2), ["setRawMode false", "pause"]);
    assert.deepEqual(process.eventNames(), []);
  });

  it("shows as many tables with rates as it is asked for", io, async (t) => {
    for (const count of [1, 2]) {
      const family = await start(t);
      const process = onTerminal();
      const args = ["top", "-s", family.address, "-i", "0.001", "-n", `${count}`];
      assert.equal(await runCommandLine(args, process), 0);
      const [first, ...others] = process.printed.stdout.split("\u001b[H").slice(1);
      assert.match(first ?? "", /- +- +1\.00KB +2\.00B +alice/);
      assert.equal(others.length, count);
      for (const table of others) assert.match(table, /0 +0 +1\.00KB +2\.00B +alice/);
      assert.equal(family.calls.length, count + 1);
    }
  });

  it("takes Ctrl-C for q: it is no signal there", io, async (t) => {
    const { address } = await start(t);
    const process = onTerminal();
    const running = runCommandLine(["top", "-s", address], process);
    await printed(process, /alice/);
    process.stdin.emit("data", "\u0003");
    assert.equal(await running, 0);
  });

  for (const signal of endSignals) {
    it(`gives it back at ${signal}`, io, async (t) => {
      const { address } = await start(t);
      const process = onTerminal();
      const running = runCommandLine(["top", "-s", address], process);
      await printed(process, /alice/);
      process.emit(signal);
      assert.equal(await running, 0);
      assert.ok(process.printed.stdout.endsWith(leave));
      assert.deepEqual(process.stdin.calls.slice(-2), ["setRawMode false", "pause"]);
      assert.deepEqual(process.eventNames(), []);
    });
  }

  it("ends when the terminal has gone", io, async (t) => {
    const { address } = await start(t);
    for (const event of ["end", "error"]) {
      const process = onTerminal();
      const running = runCommandLine(["top", "-s", address], process);
      await printed(process, /alice/);
      process.stdin.emit(event, systemError("EIO"));
      assert.equal(await running, 129);
    }
  });

  it("has colours, unless NO_COLOR is set", io, async (t) => {
    const { address } = await start(t);
    for (const [noColor, isColoured] of [
      [undefined, true],
      ["", true],
      ["1", false],
    ] as const) {
      const process = onTerminal();
      process.env["NO_COLOR"] = noColor;
      await runCommandLine(["top", "-s", address, "-i", "0.001", "-n", "1"], process);
      assert.equal(process.printed.stdout.includes("\u001b[7m"), isColoured);
    }
  });

  it("shows no more than there is room for", io, async (t) => {
    const { address, counters } = await start(t);
    for (let index = 0; index < 50; index++) counters.set(`user>>>u${index}>>>traffic>>>uplink`, 1n);
    const process = onTerminal();
    process.stdout.rows = 10;
    await runCommandLine(["top", "-s", address, "-i", "0.001", "-n", "1"], process);
    const [frame = ""] = process.printed.stdout.split("\u001b[J");
    assert.equal(frame.split("\r\n").length, 10);
    assert.match(frame, /all 51, 46 not shown/);
  });

  it("is drawn anew when the terminal is resized, and fits into one that is small", io, async (t) => {
    const { address } = await start(t);
    const process = onTerminal();
    // It reads once, and never again.
    const running = runCommandLine(["top", "-s", address, "-i", "99999"], process);
    await printed(process, /alice/);
    for (const [rows, count] of [
      [3, 3],
      [1, 1],
      [5, 5],
      [6, 6],
      [12, 6],
    ] as const) {
      process.stdout.rows = rows;
      process.printed.stdout = "";
      process.stdout.emit("resize");
      assert.equal(process.printed.stdout.split("\r\n").length, count, `${rows} rows`);
    }
    process.stdin.emit("data", "q");
    assert.equal(await running, 0);
    assert.deepEqual(process.stdout.eventNames(), []);
  });

  it("says that the server no longer answers, and calls it again", io, async (t) => {
    const family = await start(t);
    family.failFrom = 2;
    const process = onTerminal();
    const running = runCommandLine(["top", "-s", family.address, "-i", "0.001"], process);
    await printed(process, /: no more of this \(ResourceExhausted\)/);
    assert.match(process.printed.stdout, /alice/);
    family.failFrom = Number.POSITIVE_INFINITY;
    process.printed.stdout = "";
    await printed(process, new RegExp(`top ${family.address}\u001b`));
    process.stdin.emit("data", "q");
    assert.equal(await running, 0);
    assert.equal(process.printed.stderr, "");
  });

  it("leaves the terminal alone where the server cannot be read at all", io, async (t) => {
    const family = await start(t);
    family.failFrom = 1;
    const process = onTerminal();
    assert.equal(await runCommandLine(["top", "-s", family.address], process), 1);
    assert.deepEqual(process.printed, {
      stdout: "",
      stderr: `v2ray-api: ${family.address}: no more of this (ResourceExhausted)\n`,
    });
    assert.deepEqual(process.stdin.calls.slice(-2), ["setRawMode false", "pause"]);
  });
});
