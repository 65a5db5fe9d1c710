import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { whereDescriptorsCanBeFew, withDescriptors } from "../helpers/few-descriptors.js";
import { runProgram } from "../helpers/program.js";

const io = { ...whereDescriptorsCanBeFew, timeout: 20_000 };

/** Runs a module that has `openAll()`, which takes all descriptors that there are and returns them; with what it printed. */
async function runWithFew(body: string): Promise<unknown> {
  const urlOf = (path: string): string => JSON.stringify(new URL(`../../src/net/${path}`, import.meta.url));
  const source = `
    import { closeSync, openSync } from "node:fs";
    import { dial } from ${urlOf("dial.js")};
    import { DescriptorHeadroom } from ${urlOf("descriptor-headroom.js")};
    function openAll() {
      const opened = [];
      try {
        for (;;) opened.push(openSync("/dev/null", "r"));
      } catch {
        return opened;
      }
    }
    ${body}`;
  const command = [process.execPath, "--input-type=module", "--eval", source];
  const [file = "", ...args] = withDescriptors(200, command);
  const { code, stdout, stderr } = await runProgram(file, args);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

describe("a process without file descriptors", () => {
  it("cannot dial, which fails as a dial does", io, async () => {
    const printed = await runWithFew(`
      const opened = openAll();
      const error = await dial({ host: "127.0.0.1", port: 9 }).catch((reason) => reason);
      for (const descriptor of opened) closeSync(descriptor);
      const { name, code, message } = error;
      console.log(JSON.stringify({ name, code, message }));`);
    assert.deepEqual(printed, {
      name: "DialError",
      code: "failed",
      message: "connect to 127.0.0.1:9: connect EMFILE 127.0.0.1:9 - Local (undefined:undefined)",
    });
  });

  it("has no room for connections, until there are descriptors again", io, async () => {
    const printed = await runWithFew(`
      let nowMs = 0;
      const lines = [];
      const log = (line) => lines.push(line);
      const { hasRoom } = new DescriptorHeadroom({ now: () => nowMs, logger: { info: log, warn: log } });
      const ask = () => Array.from({ length: 8 }, hasRoom).includes(false) ? "short" : "room";
      const answers = [ask()];
      const opened = openAll();
      answers.push(ask());
      for (const descriptor of opened.splice(0, 40)) closeSync(descriptor);
      nowMs += 250;
      answers.push(ask());
      for (const descriptor of opened.splice(0, 8)) closeSync(descriptor);
      nowMs += 250;
      answers.push(ask());
      const held = openAll().length;
      console.log(JSON.stringify({ answers, held, lines }));`);
    assert.deepEqual(printed, {
      answers: ["room", "short", "short", "room"],
      held: 48,
      lines: [
        "refusing connections: fewer than 32 file descriptors are left (raise ulimit -n)",
        "accepting connections again: there are file descriptors",
      ],
    });
  });
});
