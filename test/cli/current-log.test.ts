import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { CurrentLog } from "../../src/cli/current-log.js";
import type { LogConfig } from "../../src/config/log.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A config of a log in a file of a folder of its own; and what the files there hold. */
function files(t: TestContext) {
  const folder = createTempDir(t);
  return {
    folder,
    config: (name: string, rest: Partial<LogConfig> = {}): LogConfig => ({
      ...{
        disabled: false,
        level: "info",
        format: "text",
        timestamp: false,
        output: folder.join(name),
        ...rest,
      },
    }),
    read: (name: string): string => {
      const path = folder.join(name);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    },
  };
}

function writeEach(log: CurrentLog, fields: { readonly n: number }): void {
  log.debug("one", fields);
  log.info("two", fields);
  log.warn("three", fields);
  log.error("four", fields);
}

async function nothing(): Promise<void> {
  return Promise.resolve();
}

/** Where Linux lists the files that this process has open. */
const descriptorsPath = "/proc/self/fd";

/** How many files this process has open in that folder. */
function openCountIn(path: string): number {
  return readdirSync(descriptorsPath).filter((name) => {
    try {
      return readlinkSync(`${descriptorsPath}/${name}`).startsWith(path);
    } catch {
      // The one that lists them is gone.
      return false;
    }
  }).length;
}

describe("CurrentLog", () => {
  it("writes what the config wants to have", (t) => {
    const { config, read } = files(t);
    writeEach(new CurrentLog(config("a", { level: "warn" })), { n: 1 });
    assert.equal(read("a"), 'WARN: three {"n":1}\nERROR: four {"n":1}\n');
  });

  it("writes to the log of the next config from when the task begins, if that succeeds", io, async (t) => {
    const { config, read } = files(t);
    const log = new CurrentLog(config("a"));
    log.info("before");
    const result = await log.switchTo(config("b", { level: "debug" }), async () => {
      log.info("meanwhile");
      return Promise.resolve(7);
    });
    log.debug("after");
    assert.equal(result, 7);
    assert.deepEqual([read("a"), read("b")], ["INFO: before\n", "INFO: meanwhile\nDEBUG: after\n"]);
  });

  it("goes on with the log that there was if the task fails", io, async (t) => {
    const { config, read } = files(t);
    const log = new CurrentLog(config("a"));
    const failing = log.switchTo(config("b"), async () => Promise.reject(new Error("no")));
    await assert.rejects(failing, { message: "no" });
    log.info("after");
    assert.deepEqual([read("a"), read("b")], ["INFO: after\n", ""]);
  });

  it("goes on with it, and leaves the task alone, if the next log cannot be opened", io, async (t) => {
    const { folder, config, read } = files(t);
    const log = new CurrentLog(config("a"));
    const failing = log.switchTo(config("", { output: folder.path }), () => assert.fail("the task runs"));
    await assert.rejects(failing, { name: "StartError", message: /^log: EISDIR/ });
    log.info("after");
    assert.equal(read("a"), "INFO: after\n");
  });

  it("opens a file anew that was moved away, under the same name", io, async (t) => {
    const { folder, config, read } = files(t);
    const log = new CurrentLog(config("a"));
    log.info("before");
    renameSync(folder.join("a"), folder.join("a.1"));
    log.info("still there");
    await log.switchTo(config("a"), nothing);
    log.info("after");
    assert.deepEqual([read("a.1"), read("a")], ["INFO: before\nINFO: still there\n", "INFO: after\n"]);
  });

  it("opens its own file anew where no config comes to take its place", (t) => {
    const { folder, config, read } = files(t);
    const log = new CurrentLog(config("a"));
    log.info("before");
    renameSync(folder.join("a"), folder.join("a.1"));
    log.reopen();
    log.info("after");
    assert.deepEqual([read("a.1"), read("a")], ["INFO: before\n", "INFO: after\n"]);
  });

  it("opens anew the file of the config that took effect last", io, async (t) => {
    const { folder, config, read } = files(t);
    const log = new CurrentLog(config("a"));
    await log.switchTo(config("b"), nothing);
    await assert.rejects(log.switchTo(config("c"), async () => Promise.reject(new Error("no"))));
    renameSync(folder.join("b"), folder.join("b.1"));
    log.reopen();
    log.info("after");
    assert.deepEqual([read("a"), read("b.1"), read("b"), read("c")], ["", "", "INFO: after\n", ""]);
  });

  it("goes on with what it has if its own file cannot be opened anew", (t) => {
    const { folder, config, read } = files(t);
    const log = new CurrentLog(config("a"));
    renameSync(folder.join("a"), folder.join("a.1"));
    mkdirSync(folder.join("a"));
    assert.throws(() => {
      log.reopen();
    }, /^StartError: log: EISDIR/);
    log.info("after");
    assert.equal(read("a.1"), "INFO: after\n");
  });

  it(
    "lets go of the files that it does not need any more",
    { ...io, skip: !existsSync(descriptorsPath) },
    async (t) => {
      const { folder, config } = files(t);
      const log = new CurrentLog(config("a"));
      for (const format of ["text", "json", "text", "json"] as const) {
        await log.switchTo(config("a", { format }), nothing);
        log.reopen();
      }
      await assert.rejects(log.switchTo(config("b"), async () => Promise.reject(new Error("no"))));
      await until(() => openCountIn(folder.path) === 1);
    },
  );

  it("can fall silent, and speak again", io, async (t) => {
    const { config, read } = files(t);
    const log = new CurrentLog(config("a", { disabled: true }));
    writeEach(log, { n: 1 });
    await log.switchTo(config("a"), nothing);
    log.info("heard");
    await log.switchTo(config("a", { disabled: true }), nothing);
    writeEach(log, { n: 2 });
    assert.equal(read("a"), "INFO: heard\n");
  });
});
