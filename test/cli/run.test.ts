import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from "node:fs";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { run } from "../../src/cli/run.js";
import { callJson } from "../helpers/api-client.js";
import { testConfig } from "../helpers/cli.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { closeAfter, listen } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until, withTimeout } from "../helpers/timing.js";

const stopping = "stopping: a second signal cuts what is still open\n";
const silent = { log: { disabled: true } };

function writeConfig(t: TestContext, config: object): string {
  return createTempDir(t).write("config.json", JSON.stringify(config));
}

function signalListeners(process: FakeProcess): number {
  return ["SIGINT", "SIGTERM", "SIGHUP"].reduce((count, name) => count + process.listenerCount(name), 0);
}

describe("v2ray-api run, in a process that is none", () => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    it(`runs until ${signal} comes, and leaves nothing behind`, async (t) => {
      closeAfter(t);
      const process = new FakeProcess();
      const running = run(["-c", writeConfig(t, testConfig(silent))], process);
      await withTimeout(once(process, "printed"), 5_000, "the banner");
      const banner = process.printed.stdout;
      const [, api = ""] = /^v2ray api +(\S+)$/m.exec(banner) ?? [];
      const { status } = await callJson(api, "QueryStats");
      assert.equal(status, 200);

      process.emit(signal);
      assert.equal(await withTimeout(running, 2_500, "the end"), 0);
      assert.deepEqual(process.printed, { stdout: `${banner}${stopping}`, stderr: "" });
      assert.equal(signalListeners(process), 0);
      await assert.rejects(callJson(api, "QueryStats"), { code: "ECONNREFUSED" });
    });
  }

  it("stops as soon as it has started when the signal comes before", async (t) => {
    closeAfter(t);
    const process = new FakeProcess();
    process.once("newListener", (signal: string) => {
      setImmediate(() => process.emit(signal));
    });
    const running = run(["-c", writeConfig(t, testConfig(silent))], process);
    assert.equal(await withTimeout(running, 5_000, "the end"), 0);
    assert.ok(process.printed.stdout.endsWith(`\n${stopping}`));
  });

  it(
    "reads its config again as soon as it has started when SIGHUP comes before",
    { timeout: 10_000 },
    async (t) => {
      closeAfter(t);
      const output = createTempDir(t).join("run.log");
      const process = new FakeProcess();
      const running = run(["-c", writeConfig(t, testConfig({ log: { output } }))], process);
      // Its config is still being read.
      assert.equal(process.emit("SIGHUP"), true);
      await until(
        () => existsSync(output) && readFileSync(output, "utf8").includes("configuration reloaded"),
      );
      process.emit("SIGTERM");
      assert.equal(await running, 0);
      assert.equal(signalListeners(process), 0);
    },
  );

  it("exits with 1 and closes what it had opened when a part cannot start", async (t) => {
    const { port } = await listen(t, createServer());
    const process = new FakeProcess();
    const config = testConfig({ ...silent, api: { listen: `127.0.0.1:${port}` } });
    assert.equal(await run(["-c", writeConfig(t, config)], process), 1);
    const stderr = `v2ray-api: v2ray_api: listen 127.0.0.1:${port}: address in use\n`;
    assert.deepEqual(process.printed, { stdout: "", stderr });
    assert.equal(signalListeners(process), 0);
  });

  it("names the inbound that cannot start", async (t) => {
    const { port } = await listen(t, createServer());
    const process = new FakeProcess();
    const config = { ...silent, inbounds: [{ type: "mixed", tag: "in", listen_port: port }] };
    assert.equal(await run(["-c", writeConfig(t, config)], process), 1);
    const stderr = `v2ray-api: inbound in: listen 127.0.0.1:${port}: address in use\n`;
    assert.deepEqual(process.printed, { stdout: "", stderr });
  });

  it("exits with 1 when its log cannot be opened", async (t) => {
    closeAfter(t);
    const { path } = createTempDir(t);
    const process = new FakeProcess();
    const config = testConfig({ log: { output: path } });
    assert.equal(await run(["-c", writeConfig(t, config)], process), 1);
    assert.match(process.printed.stderr, /^v2ray-api: log: EISDIR: .*\n$/);
    assert.equal(process.printed.stdout, "");
    assert.equal(signalListeners(process), 0);
  });

  it("exits with 1 when there is no config", async (t) => {
    const path = createTempDir(t).join("none.json");
    const process = new FakeProcess();
    assert.equal(await run(["-c", path], process), 1);
    assert.match(process.printed.stderr, /: 1 error\ncannot read .*: there is no such file\n$/);
    assert.equal(signalListeners(process), 0);
  });

  it(
    "reads its config again at SIGHUP, and says in the log what came of it",
    { timeout: 10_000 },
    async (t) => {
      closeAfter(t);
      const folder = createTempDir(t);
      const output = folder.join("run.log");
      const logged = async (pattern: RegExp): Promise<void> => {
        await until(() => existsSync(output) && pattern.test(readFileSync(output, "utf8")));
      };
      const write = (config: object | string): string =>
        folder.write("config.json", typeof config === "string" ? config : JSON.stringify(config));
      const log = { output, level: "info" };
      const process = new FakeProcess();
      const running = run(["-c", write(testConfig({ log }))], process);
      await withTimeout(once(process, "printed"), 5_000, "the banner");
      const { stdout: banner } = process.printed;

      write({ log, inbounds: [{ type: "mixed", tag: "b", listen_port: 99_999 }] });
      process.emit("SIGHUP");
      await logged(
        /ERROR: configuration not reloaded, the old one goes on: .*config\.json: 1 error\n.*ERROR: .*config\.json:1:\d+: inbounds\[0\]\.listen_port: expected a port number from 0 to 65535, got 99999\n/,
      );

      const { port } = await listen(t, createServer());
      write({ log, inbounds: [{ type: "mixed", tag: "b", listen_port: port }] });
      process.emit("SIGHUP");
      await logged(/the old one goes on: inbound b: listen 127\.0\.0\.1:\d+: address in use\n/);

      // Whoever rotates logs has moved it away, and it goes on under its name, whatever the config is worth.
      renameSync(output, folder.join("run.log.1"));
      folder.write("config.json", "");
      process.emit("SIGHUP");
      await logged(/config\.json: 1 error\n.*config\.json:1:1: /);

      renameSync(output, folder.join("run.log.2"));
      mkdirSync(output);
      process.emit("SIGHUP");
      const moved = folder.join("run.log.2");
      await until(() => /ERROR: log: EISDIR.*\n/.test(readFileSync(moved, "utf8")));
      rmdirSync(output);

      write(testConfig({ log: { ...log, timestamp: false }, outbound: "other" }));
      process.emit("SIGHUP");
      await logged(
        /^INFO: configuration reloaded \{"added":"outbound other","changed":"log; experimental\.v2ray_api\.stats","removed":"outbound direct"\}\n/m,
      );
      process.emit("SIGTERM");
      assert.equal(await withTimeout(running, 5_000, "the end"), 0);
      assert.deepEqual(process.printed, { stdout: `${banner}${stopping}`, stderr: "" });
      assert.equal(signalListeners(process), 0);
    },
  );
});
