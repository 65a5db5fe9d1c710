import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { print, printResult } from "../../src/cli/print.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { systemError } from "../helpers/system-error.js";

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

  it("says why the text was not taken", async () => {
    const { stdout } = new FakeProcess();
    stdout.failure = systemError("EPIPE");
    assert.equal(await print(stdout, "text"), stdout.failure);
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
