import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { endSignals } from "../../src/cli/stop-signals.js";
import { assertCounters, expectedCounters, queryCounters } from "../helpers/api-client.js";
import { askThrough } from "../helpers/cli-traffic.js";
import { cliPath, runCli, startCli } from "../helpers/cli.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { openOrigin } from "../helpers/open-origin.js";
import { needs } from "../helpers/outside-client.js";
import { killAtExit, runProgram } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until } from "../helpers/timing.js";
import { startInTmux, type Tmux } from "../helpers/tmux.js";

const io = { timeout: 60_000 };
const inTmux = { ...io, ...needs("tmux") };

/** Waits for the end of the command, and sees that the screen, the cursor and the echo of what is typed are back. */
async function assertGivenBack(terminal: Tmux, last: RegExp): Promise<void> {
  assert.match(await terminal.shows(/^exit \d+$/m), last);
  await terminal.type("typed");
  await terminal.shows(/^typed$/m);
  assert.ok(await terminal.hasCursor());
}

/** A pipe with a name, and what it is written until its writers have ended. */
async function openPipe(
  t: TestContext,
): Promise<{ readonly path: string; readonly written: Promise<string> }> {
  const path = createTempDir(t).join("pipe");
  const { code } = await runProgram("mkfifo", [path]);
  assert.equal(code, 0);
  return { path, written: text(createReadStream(path)) };
}

describe("v2ray-api top", () => {
  it("shows in a terminal who moves what, by the keys, and leaves it as it was", inTmux, async (t) => {
    const cli = await startCli(t);
    const origin = await openOrigin(t);
    await askThrough(t, cli.proxy, "alice", `${origin.url}/bytes/5000`);
    await assertCounters(cli.api, () => expectedCounters("alice", origin.moved));

    const terminal = await startInTmux(t, `${process.execPath} ${cliPath} top -s ${cli.api} -i 0.2`);
    const first = await terminal.shows(/ alice$/m);
    assert.match(first, new RegExp(`^v2ray-api top ${cli.api}$`, "m"));
    assert.match(first, /^Up\/s +Down\/s +Up +Down +User$/m);
    assert.match(first, /^u users {2}i inbounds {2}o outbounds {2}q quit$/m);
    assert.doesNotMatch(first, /before/);

    for (;;) {
      await askThrough(t, cli.proxy, "alice", `${origin.url}/bytes/50000`);
      if (/^[\d.]+K?B +[\d.]+[KM]B .* alice$/m.test(await terminal.screen())) break;
    }
    assert.ok((await terminal.screen({ coloured: true })).includes("\u001b[7mUp/s"));

    await terminal.type("i");
    await terminal.shows(/ Inbound$[^]* mixed-in$/m);
    await terminal.type("o");
    await terminal.shows(/ Outbound$[^]* direct$/m);
    await terminal.type("u");
    await terminal.shows(/ User$[^]* alice$/m);

    await terminal.type("q");
    await assertGivenBack(terminal, /^before\nexit 0\n/);
    await assertCounters(cli.api, () => expectedCounters("alice", origin.moved));
  });

  it("fits into the terminal, whatever its size becomes, without waiting", inTmux, async (t) => {
    const { address, counters } = await startFamilyServer(t, "Xray");
    for (let index = 0; index < 50; index++) counters.set(`user>>>u${index}>>>traffic>>>uplink`, 1n);
    // It reads once, and never again.
    const terminal = await startInTmux(t, `${process.execPath} ${cliPath} top -s ${address} -i 99999`);
    const title = `v2ray-api top ${address}\n`;
    assert.ok((await terminal.shows(/ all 50, 43 not shown\nu users/)).startsWith(title));
    await terminal.resize(20);
    assert.ok((await terminal.shows(/ all 50, 35 not shown\nu users/)).startsWith(title));
    await terminal.resize(4);
    assert.ok((await terminal.shows(/ all 50, 50 not shown\n$/)).startsWith(title));
    await terminal.type("q");
    await terminal.shows(/^exit 0$/m);
  });

  it("says in a terminal that the server has gone, and ends with Ctrl-C", inTmux, async (t) => {
    const cli = await startCli(t);
    const terminal = await startInTmux(t, `${process.execPath} ${cliPath} top -s ${cli.api} -i 0.1`);
    await terminal.shows(/ all 0$/m);
    cli.kill("SIGTERM");
    await cli.exited();
    await terminal.shows(/^v2ray-api top 127\.0\.0\.1:\d+: connection refused$/m);
    await terminal.type("C-c");
    await terminal.shows(/^exit 0$/m);
  });

  for (const signal of endSignals) {
    it(`leaves the terminal as it was at ${signal}`, inTmux, async (t) => {
      const { address } = await startFamilyServer(t, "Xray");
      const terminal = await startInTmux(t, `${process.execPath} ${cliPath} top -s ${address}`);
      await terminal.shows(/ all 0$/m);
      assert.equal(await terminal.hasCursor(), false);
      process.kill(terminal.pid(), signal);
      await assertGivenBack(terminal, /^before\nexit 0\n/);
    });
  }

  it("leaves the terminal as it was where the server cannot be read at first", inTmux, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    family.failFrom = 1;
    const terminal = await startInTmux(t, `${process.execPath} ${cliPath} top -s ${family.address}`);
    const last = /^before\nv2ray-api: 127\.0\.0\.1:\d+: no more of this \(ResourceExhausted\)\nexit 1\n/;
    await assertGivenBack(terminal, last);
  });

  it("ends without a word when the terminal has gone", inTmux, async (t) => {
    const { address } = await startFamilyServer(t, "Xray");
    const stderr = await openPipe(t);
    const line = `${process.execPath} ${cliPath} top -s ${address} 2>${stderr.path}`;
    const terminal = await startInTmux(t, line);
    await terminal.shows(/ all 0$/m);
    await terminal.close();
    assert.equal(await stderr.written, "");
  });

  it("ends without a word, too, when the terminal has gone that it only listened to", inTmux, async (t) => {
    const { address, calls } = await startFamilyServer(t, "Xray");
    const stderr = await openPipe(t);
    const line = `${process.execPath} ${cliPath} top -s ${address} -i 0.1 >/dev/null 2>${stderr.path}`;
    const terminal = await startInTmux(t, line);
    await until(() => calls.length > 0);
    await terminal.close();
    assert.equal(await stderr.written, "");
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends with ${signal} although nobody reads the pipe that it fills`, io, async (t) => {
      const { address, counters } = await startFamilyServer(t, "V2Ray 5");
      // One table is more than fits in.
      for (let index = 0; index < 5_000; index++)
        counters.set(`user>>>${index}${"x".repeat(1_000)}>>>traffic>>>uplink`, 1n);
      const child = spawn(process.execPath, [cliPath, "top", "-s", address, "-i", "0.01", "-t", "30"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      killAtExit(child);
      const exited = once(child, "exit");
      await once(child.stdout, "readable");
      child.kill(signal);
      assert.deepEqual(await exited, [0, null]);
    });
  }

  it("prints plain tables into a pipe, and resets nothing", io, async (t) => {
    const cli = await startCli(t);
    const origin = await openOrigin(t);
    await askThrough(t, cli.proxy, "bob", `${origin.url}/bytes/1`);
    await assertCounters(cli.api, () => expectedCounters("bob", origin.moved));
    const before = await queryCounters(cli.api);
    const { code, stdout, stderr } = await runCli(["top", "-s", cli.api, "-i", "0.01", "-n", "2"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const table = /^Up\/s.* User\n0 +0 +[\d.]+B +[\d.]+B +bob\n\n0 +0 +[\d.]+B +[\d.]+B +all 1\n$/;
    const tables = stdout.split(/\n(?=Up\/s)/);
    assert.equal(tables.length, 2);
    for (const one of tables) assert.match(`${one.trimEnd()}\n`, table);
    assert.deepEqual(await queryCounters(cli.api), before);
  });
});
