import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { print, printResult } from "../../src/cli/print.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { systemError } from "../helpers/system-error.js";
import { createTempDir } from "../helpers/temp-dir.js";

describe("print", () => {
  it("waits until the text is taken", async () => {
    let written: (() => void) | undefined;
    const output = { write: (_: string, callback: () => void) => (written = callback) };
    let isPrinted = false;
    const printing = print(output, "text").then((failure) => {
      isPrinted = true;
      return failure;
    });
    await Promise.resolve();
    assert.equal(isPrinted, false);
    written?.();
    assert.equal(await printing, undefined);
  });

  it("waits no longer once it is told not to, and keeps no listener", async () => {
    const stopping = new AbortController();
    const { stdout } = new FakeProcess();
    assert.equal(await print(stdout, "text", stopping.signal), undefined);
    assert.deepEqual(getEventListeners(stopping.signal, "abort"), []);
    stdout.isStuck = true;
    const printing = print(stdout, "text", stopping.signal);
    stopping.abort();
    assert.equal(await printing, undefined);
    assert.equal(await print(stdout, "text", stopping.signal), undefined);
  });

  it("says why the text was not taken", async () => {
    const { stdout } = new FakeProcess();
    stdout.failure = systemError("EPIPE");
    assert.equal(await print(stdout, "text"), stdout.failure);
  });
});

describe("print, into a file", () => {
  it("writes all of it, behind what was there", async (t) => {
    const folder = createTempDir(t);
    const fd = openSync(folder.write("out.txt", "before\n"), "a");
    t.after(() => {
      closeSync(fd);
    });
    const output = { fd, write: () => assert.fail("it may write less and not say so") };
    assert.equal(await print(output, "first\n"), undefined);
    assert.equal(await print(output, "second\n"), undefined);
    assert.equal(readFileSync(folder.join("out.txt"), "utf8"), "before\nfirst\nsecond\n");
  });

  it("says why it cannot", async (t) => {
    const fd = openSync(createTempDir(t).write("out.txt", ""), "r");
    t.after(() => {
      closeSync(fd);
    });
    assert.match(String(await print({ fd, write: () => undefined }, "text")), /EBADF/);
  });
});

describe("printResult", () => {
  it("prints", async () => {
    const process = new FakeProcess();
    assert.equal(await printResult(process, "text", { isReset: true }), true);
    assert.deepEqual(process.printed, { stdout: "text", stderr: "" });
  });

  it("minds no reader who has had enough", async () => {
    const process = new FakeProcess();
    process.stdout.failure = systemError("EPIPE");
    assert.equal(await printResult(process, "text"), false);
  });

  const failures: readonly (readonly [failure: Error, isReset: boolean, message: string])[] = [
    [systemError("ENOSPC"), false, "the output cannot be written (no space left on device)"],
    [
      systemError("ENOSPC"),
      true,
      "the output cannot be written (no space left on device), and what was reset is lost",
    ],
    [systemError("EPIPE"), true, "the output cannot be written (broken pipe), and what was reset is lost"],
    [new Error("it is closed"), false, "the output cannot be written (it is closed)"],
  ];
  for (const [failure, isReset, message] of failures) {
    it(`throws "${message}"`, async () => {
      const process = new FakeProcess();
      process.stdout.failure = failure;
      await assert.rejects(printResult(process, "text", { isReset }), {
        name: "OutputError",
        message,
        cause: failure,
      });
    });
  }
});
