import assert from "node:assert/strict";
import fs, { existsSync, readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { StartError } from "../../src/index.js";
import { createLogger } from "../../src/cli/logger.js";
import type { LogConfig, LogLevel } from "../../src/config/log.js";
import type { Logger } from "../../src/index.js";
import { createTempDir } from "../helpers/temp-dir.js";

const plain = { format: "text", timestamp: false } as const;

/** What stands in the log file after `write`, line by line. */
function linesOf(t: TestContext, options: Partial<LogConfig>, write: (logger: Logger) => void): string[] {
  const output = createTempDir(t).join("v2ray-api.log");
  write(createLogger({ disabled: false, level: "info", ...plain, output, ...options }));
  return existsSync(output) ? readFileSync(output, "utf8").split("\n").slice(0, -1) : [];
}

function writeEach(logger: Logger): void {
  logger.debug("one");
  logger.info("two");
  logger.warn("three");
  logger.error("four");
}

const allLines = ["DEBUG: one", "INFO: two", "WARN: three", "ERROR: four"];

describe("createLogger", () => {
  const levels: readonly (readonly [level: LogLevel, lines: readonly string[]])[] = [
    ["trace", allLines],
    ["debug", allLines],
    ["info", allLines.slice(1)],
    ["warn", allLines.slice(2)],
    ["error", allLines.slice(3)],
    ["fatal", []],
    ["panic", []],
  ];
  for (const [level, lines] of levels) {
    it(`writes ${lines.length} of four lines at the level ${level}`, (t) => {
      assert.deepEqual(linesOf(t, { level }, writeEach), lines);
    });
  }

  it("writes nothing and makes no file where it is disabled", (t) => {
    const output = createTempDir(t).join("v2ray-api.log");
    writeEach(createLogger({ disabled: true, level: "trace", ...plain, output }));
    assert.equal(existsSync(output), false);
  });

  it("puts the local time in front of each line on demand", (t) => {
    const [line = ""] = linesOf(t, { timestamp: true }, (logger) => {
      logger.info("hello");
    });
    const [, time = "", rest] = /^\[(.*)\] (.*)$/.exec(line) ?? [];
    assert.equal(rest, "INFO: hello");
    assert.match(time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4}$/);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  });

  const fields: readonly (readonly [fields: Parameters<Logger["info"]>[1], shown: string])[] = [
    [{ inbound: "in", port: 80, open: true }, ' {"inbound":"in","port":80,"open":true}'],
    [{}, ""],
    [undefined, ""],
    [{ user: undefined }, ""],
    // Names that might have a meaning of their own.
    [{ error: "read ECONNRESET" }, ' {"error":"read ECONNRESET"}'],
    [{ error: "two\nlines" }, String.raw` {"error":"two\nlines"}`],
    [{ source: "\u001b[31mred" }, String.raw` {"source":"\u001b[31mred"}`],
  ];
  for (const [given, shown] of fields) {
    it(`writes the fields ${JSON.stringify(given)} on the line of the message`, (t) => {
      const lines = linesOf(t, {}, (logger) => {
        logger.info("message", given);
      });
      assert.deepEqual(lines, [`INFO: message${shown}`]);
    });
  }

  it("writes text that looks like a format as it is", (t) => {
    const lines = linesOf(t, {}, (logger) => {
      logger.info("100%s %d %o {a}", { a: "b" });
    });
    assert.deepEqual(lines, ['INFO: 100%s %d %o {a} {"a":"b"}']);
  });

  describe("in JSON", () => {
    it("writes an object a line, with the level, the message and the fields as they are", (t) => {
      const lines = linesOf(t, { format: "json", level: "debug" }, (logger) => {
        logger.debug("one");
        logger.info("100%s\ntwo", { error: "read ECONNRESET", id: 7, open: false, user: undefined });
      });
      assert.deepEqual(lines, [
        '{"level":"debug","message":"one"}',
        String.raw`{"level":"info","error":"read ECONNRESET","id":7,"open":false,"message":"100%s\ntwo"}`,
      ]);
    });

    it("puts the time in, in UTC, on demand", (t) => {
      const [line = ""] = linesOf(t, { format: "json", timestamp: true }, (logger) => {
        logger.warn("hello");
      });
      const { time, ...rest } = JSON.parse(line) as { readonly time: string };
      assert.deepEqual(rest, { level: "warn", message: "hello" });
      assert.equal(new Date(time).toISOString(), time);
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
    });

    it("drops what is less important than its level", (t) => {
      const lines = linesOf(t, { format: "json" }, writeEach);
      assert.deepEqual(
        lines.map((line) => (JSON.parse(line) as { readonly message: string }).message),
        ["two", "three", "four"],
      );
    });
  });

  it("makes the folder of its file, and appends to it", (t) => {
    const output = createTempDir(t).join("a/b/c.log");
    for (const message of ["first", "second"]) {
      createLogger({ disabled: false, level: "info", ...plain, output }).info(message);
    }
    assert.equal(readFileSync(output, "utf8"), "INFO: first\nINFO: second\n");
  });

  it("names the file that it cannot open", (t) => {
    const { path } = createTempDir(t);
    assert.throws(
      () => createLogger({ disabled: false, level: "info", ...plain, output: path }),
      (error) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, /^log: EISDIR: /);
        assert.ok(error.message.includes(path));
        return true;
      },
    );
  });

  it("writes nothing more to a reader who has gone", (t) => {
    const output = createTempDir(t).join("v2ray-api.log");
    const logger = createLogger({ disabled: false, level: "info", ...plain, output });
    const gone = t.mock.method(fs, "writeSync", () => {
      throw Object.assign(new Error("broken pipe"), { code: "EPIPE" });
    });
    logger.info("lost");
    assert.equal(gone.mock.callCount(), 1);
    logger.info("not tried");
    assert.equal(gone.mock.callCount(), 1);
    gone.mock.restore();
    logger.close();
    assert.equal(readFileSync(output, "utf8"), "");
  });

  for (const format of ["text", "json"] as const) {
    it(`writes on when there is room again, as ${format}`, (t) => {
      const output = createTempDir(t).join("v2ray-api.log");
      const logger = createLogger({ disabled: false, level: "info", timestamp: false, format, output });
      logger.info("before");
      const { writeSync } = fs;
      const full = t.mock.method(fs, "writeSync", () => {
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      });
      for (let count = 0; count < 3; count++) logger.info(`full ${count}`);
      assert.ok(full.mock.callCount() >= 3);
      assert.ok(fs.writeSync !== writeSync);
      full.mock.restore();
      logger.info("after");
      const text = readFileSync(output, "utf8");
      assert.deepEqual(text.match(/before|full \d|after/g), [
        "before",
        "full 0",
        "full 1",
        "full 2",
        "after",
      ]);
      assert.equal(text.split("\n").length, 6);
    });

    it(`loses what is too much to be kept while there is no room, as ${format}`, (t) => {
      const output = createTempDir(t).join("v2ray-api.log");
      const logger = createLogger({ disabled: false, level: "info", timestamp: false, format, output });
      const full = t.mock.method(fs, "writeSync", () => {
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      });
      const long = "x".repeat(1_000);
      for (let count = 0; count < 3_000; count++) logger.info(long);
      full.mock.restore();
      logger.info("after");
      const text = readFileSync(output, "utf8");
      assert.ok(text.length < 1_100_000, `${text.length} characters were kept`);
      for (const line of text.trimEnd().split("\n")) assert.match(line, /x{1000}|after/);
    });
  }
});
