import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { check } from "../../src/cli/check.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { createTempDir } from "../helpers/temp-dir.js";

describe("v2ray-api check", () => {
  it("prints ok for a config that is right", async (t) => {
    const path = createTempDir(t).write("c.json", "{} // nothing is required\n");
    const process = new FakeProcess();
    assert.equal(await check(["-c", path], process), 0);
    assert.deepEqual(process.printed, { stdout: "ok\n", stderr: "" });
  });

  it("does not open what the config names", async (t) => {
    const folder = createTempDir(t);
    const config = { log: { output: folder.path }, inbounds: [{ type: "mixed", listen_port: 1 }] };
    const path = folder.write("c.json", JSON.stringify(config));
    assert.equal(await check(["-c", path], new FakeProcess()), 0);
  });

  it("prints everything that is wrong, each with its path, and no password", async (t) => {
    const text = JSON.stringify({
      inbounds: [{ type: "mixed", listen_port: 70_000, users: [{ username: "", password: 12_345 }] }],
      experimental: { v2ray_api: { stats: { inbounds: ["nope"] } }, clash_api: {} },
    });
    const path = createTempDir(t).write("c.json", text);
    const process = new FakeProcess();
    assert.equal(await check(["-c", path], process), 1);
    assert.equal(process.printed.stdout, "");
    const [first, ...lines] = process.printed.stderr.trimEnd().split("\n");
    assert.equal(first, `${path}: 5 errors`);
    assert.deepEqual(
      lines.map((line) => line.split(": ", 2).join(": ")),
      [
        `${path}:1:44: inbounds[0].listen_port`,
        `${path}:1:71: inbounds[0].users[0].username`,
        `${path}:1:85: inbounds[0].users[0].password`,
        `${path}:1:145: experimental.v2ray_api.stats.inbounds[0]`,
        `${path}:1:155: experimental.clash_api`,
      ],
    );
    assert.doesNotMatch(process.printed.stderr, /12345/);
  });

  const unreadable: readonly (readonly [name: string, content: string | Uint8Array, message: RegExp])[] = [
    ["text that is no JSON", "{", /expected a closing "\}"/],
    ["an empty file", "", /not valid JSON/],
    ["bytes that are no text", Uint8Array.of(0xff, 0xfe), /is not UTF-8 text$/m],
  ];
  for (const [name, content, message] of unreadable) {
    it(`says what is wrong with ${name}`, async (t) => {
      const path = createTempDir(t).write("c.json", content);
      const process = new FakeProcess();
      assert.equal(await check(["-c", path], process), 1);
      assert.ok(process.printed.stderr.startsWith(`${path}: 1 error\n`), process.printed.stderr);
      assert.match(process.printed.stderr, message);
    });
  }

  it("says that a file is not there, or is none", async (t) => {
    const folder = createTempDir(t);
    const process = new FakeProcess();
    assert.equal(await check(["-c", folder.join("none")], process), 1);
    assert.equal(await check(["-c", folder.path], process), 1);
    assert.match(
      process.printed.stderr,
      /there is no such file\n.*1 error\n.*it is a directory, not a file\n$/,
    );
  });
});
