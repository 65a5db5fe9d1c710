import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listenForKeys, takeScreen } from "../../src/cli/terminal.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { systemError } from "../helpers/system-error.js";

describe("takeScreen", () => {
  it("shows lines from the top, and gives the terminal back as it was", () => {
    const process = new FakeProcess();
    const screen = takeScreen(process, () => assert.fail("it has its size"));
    screen.show(["first", "second"]);
    screen[Symbol.dispose]();
    assert.deepEqual(process.printed.stdout.split("\u001b"), [
      "",
      ...["[?1049h", "[?25l", "[?7l"],
      ...["[Hfirst", "[K\r\nsecond", "[K", "[J"],
      ...["[?7h", "[?25h", "[?1049l"],
    ]);
  });
});

describe("a screen that is resized", () => {
  it("says so until it is disposed of, and shows as many lines as there is room for", () => {
    const process = new FakeProcess();
    let resizeCount = 0;
    const screen = takeScreen(process, () => (resizeCount += 1));
    for (const [rows, count] of [
      [30, 25],
      [3, 3],
      [1, 1],
      // It does not know.
      [0, 24],
    ] as const) {
      process.stdout.rows = rows;
      process.stdout.emit("resize");
      process.printed.stdout = "";
      screen.show(Array.from({ length: 25 }, (_, index) => `line ${index}`));
      assert.equal(process.printed.stdout.split("\r\n").length, count);
    }
    screen[Symbol.dispose]();
    process.stdout.emit("resize");
    assert.equal(resizeCount, 4);
    assert.deepEqual(process.stdout.eventNames(), []);
  });
});

describe("listenForKeys", () => {
  it("hears each key of a terminal until it stops to listen", () => {
    const { stdin } = new FakeProcess();
    stdin.isTTY = true;
    const keys: string[] = [];
    const stop = listenForKeys(stdin, {
      onKey: (key) => keys.push(key),
      onGone: () => assert.fail("it has not gone"),
    });
    stdin.emit("data", Buffer.from("u"));
    stdin.emit("data", "iq");
    stop();
    stdin.emit("data", "o");
    assert.deepEqual(keys, ["u", "i", "q"]);
    assert.deepEqual(stdin.calls, ["setRawMode true", "resume", "setRawMode false", "pause"]);
    assert.deepEqual(stdin.eventNames(), ["error"]);
  });

  for (const event of ["end", "error"]) {
    it(`hears that the terminal has gone by its "${event}"`, () => {
      const { stdin } = new FakeProcess();
      stdin.isTTY = true;
      let goneCount = 0;
      listenForKeys(stdin, {
        onKey: () => assert.fail("there are no keys"),
        onGone: () => (goneCount += 1),
      });
      stdin.emit(event, systemError("EIO"));
      assert.equal(goneCount, 1);
    });
  }

  it("minds no error of a terminal that is given back", () => {
    const { stdin } = new FakeProcess();
    stdin.isTTY = true;
    stdin.setRawMode = (raw) => {
      if (!raw) stdin.emit("error", systemError("EIO"));
    };
    const stop = listenForKeys(stdin, { onKey: () => undefined, onGone: () => undefined });
    stop();
    stdin.emit("error", systemError("EIO"));
  });

  it("leaves alone what is no terminal", () => {
    const { stdin } = new FakeProcess();
    const stop = listenForKeys(stdin, {
      onKey: () => assert.fail("there are no keys"),
      onGone: () => assert.fail("it has not gone"),
    });
    stdin.emit("data", "q");
    stop();
    assert.deepEqual(stdin.calls, []);
  });
});
