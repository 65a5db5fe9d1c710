import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatJsonLine, formatTextLine, type LogLine } from "../../src/cli/log-line.js";
import { runProgram } from "../helpers/program.js";

const fields = { inbound: "in", port: 80, open: true, user: undefined };
const time = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));

describe("formatTextLine()", () => {
  const plain: readonly (readonly [line: LogLine, text: string])[] = [
    [{ level: "debug", message: "hello", fields: {} }, "DEBUG: hello\n"],
    [{ level: "info", message: "hello", fields }, 'INFO: hello {"inbound":"in","port":80,"open":true}\n'],
    [{ level: "warn", message: "", fields: {} }, "WARN: \n"],
    [{ level: "error", message: "hello", fields: { user: undefined } }, "ERROR: hello\n"],
    [
      { level: "info", message: "m", fields: { host: "\u001b[2J\n", level: "mine", time: "late" } },
      String.raw`INFO: m {"host":"\u001b[2J\n","level":"mine","time":"late"}` + "\n",
    ],
    [
      { level: "info", message: "m", fields: { host: "\u009b2J\u007fé" } },
      String.raw`INFO: m {"host":"\u009b2J\u007fé"}` + "\n",
    ],
  ];
  for (const [line, text] of plain) {
    it(`writes ${JSON.stringify(text)}`, () => {
      assert.equal(formatTextLine(line, false), text);
    });
  }

  const colors: readonly (readonly [level: LogLine["level"], color: number])[] = [
    ["debug", 34],
    ["info", 32],
    ["warn", 33],
    ["error", 31],
  ];
  for (const [level, color] of colors) {
    it(`writes ${level} in a color of its own to a terminal`, () => {
      assert.equal(
        formatTextLine({ level, message: "hello", fields: { id: 7 } }, true),
        `\u001b[${color}m${level.toUpperCase()}\u001b[39m: \u001b[36mhello\u001b[39m \u001b[90m{"id":7}\u001b[39m\n`,
      );
    });
  }

  it("colors nothing that is not there", () => {
    assert.equal(
      formatTextLine({ level: "info", message: "", fields: {} }, true),
      "\u001b[32mINFO\u001b[39m: \n",
    );
  });

  const zones: readonly (readonly [zone: string, text: string])[] = [
    ["UTC", "2026-01-02 03:04:05.006 +0000"],
    ["Asia/Kolkata", "2026-01-02 08:34:05.006 +0530"],
    ["America/St_Johns", "2026-01-01 23:34:05.006 -0330"],
  ];
  for (const [zone, text] of zones) {
    it(`begins with the time of ${zone} where the machine is there`, { timeout: 20_000 }, async () => {
      const url = JSON.stringify(new URL("../../src/cli/log-line.js", import.meta.url));
      const program = `import { formatTextLine } from ${url};
        const line = { level: "info", message: "hello", fields: {}, time: new Date(${time.getTime()}) };
        process.stdout.write(formatTextLine(line, true));`;
      const { stdout } = await runProgram(process.execPath, ["--input-type=module", "--eval", program], {
        env: { TZ: zone },
      });
      assert.equal(stdout, `[${text}] \u001b[32mINFO\u001b[39m: \u001b[36mhello\u001b[39m\n`);
    });
  }
});

describe("formatJsonLine()", () => {
  it("writes the level, the time, the fields and the message, in that order", () => {
    assert.equal(
      formatJsonLine({ level: "warn", message: "two\nlines", fields, time }),
      '{"level":"warn","time":"2026-01-02T03:04:05.006Z","inbound":"in","port":80,"open":true,"message":"two\\nlines"}\n',
    );
  });

  it("leaves out what is not known", () => {
    assert.equal(
      formatJsonLine({ level: "info", message: "hello", fields: { user: undefined } }),
      '{"level":"info","message":"hello"}\n',
    );
  });
});
