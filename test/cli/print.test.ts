import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { print } from "../../src/cli/print.js";
import { FakeProcess } from "../helpers/fake-process.js";

describe("print", () => {
  it("waits until the text is taken", async () => {
    let written: (() => void) | undefined;
    const output = { write: (_: string, callback: () => void) => (written = callback) };
    let isPrinted = false;
    const printing = print(output, "text").then((isTaken) => {
      isPrinted = true;
      return isTaken;
    });
    await Promise.resolve();
    assert.equal(isPrinted, false);
    written?.();
    assert.equal(await printing, true);
  });

  it("says that nobody reads any more", async () => {
    const { stdout } = new FakeProcess();
    stdout.failure = new Error("EPIPE");
    assert.equal(await print(stdout, "text"), false);
  });
});
