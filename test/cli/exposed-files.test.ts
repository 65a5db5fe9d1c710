import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { check } from "../../src/cli/check.js";
import { findExposedFiles, secretFilesOf } from "../../src/cli/exposed-files.js";
import { loadConfig } from "../../src/cli/load-config.js";
import { run } from "../../src/cli/run.js";
import { toConfig } from "../../src/config/to-config.js";
import { testConfig } from "../helpers/cli.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const uid = process.geteuid?.();
/** Modes of files are the matter of systems that have users in this way. */
const withModes = { ...io, skip: uid === undefined && "files have no such modes here" };

function write(t: TestContext, mode: number, text = ""): string {
  const path = createTempDir(t).write("config.json", text);
  chmodSync(path, mode);
  return path;
}

describe("findExposedFiles", withModes, () => {
  const modes: readonly (readonly [mode: number, who: string | undefined])[] = [
    [0o600, undefined],
    [0o400, undefined],
    [0o700, undefined],
    [0o640, "its group"],
    [0o620, "its group"],
    [0o644, "everybody on this machine"],
    [0o604, "everybody on this machine"],
    [0o666, "everybody on this machine"],
  ];
  for (const [mode, who] of modes) {
    const octal = `0${mode.toString(8)}`;
    it(`${who === undefined ? "says nothing" : "warns"} of a file of ours with mode ${octal}`, async (t) => {
      const path = write(t, mode);
      const name = JSON.stringify(path);
      assert.deepEqual(
        await findExposedFiles([path]),
        who === undefined
          ? []
          : [`${name} has secrets in it and is open to ${who} (mode ${octal}): chmod 600 ${name}`],
      );
    });
  }

  it("leaves a file of somebody else's to its group, through which we read it, and to nobody else", async (t) => {
    const path = write(t, 0o640);
    const somebodyElse = { uid: (uid ?? 0) + 1 };
    assert.deepEqual(await findExposedFiles([path], somebodyElse), []);
    chmodSync(path, 0o644);
    const [line = ""] = await findExposedFiles([path], somebodyElse);
    assert.match(line, /is open to everybody on this machine \(mode 0644\): chmod o= "/);
  });

  it("says nothing of what is no file, or is not there, and names each of several", async (t) => {
    const { path: folder } = createTempDir(t);
    const paths = [write(t, 0o644), folder, `${folder}/none`, "/dev/null", write(t, 0o644)];
    const lines = await findExposedFiles(paths);
    assert.deepEqual(
      lines.map((line) => line.slice(0, line.indexOf(" has"))),
      [JSON.stringify(paths[0]), JSON.stringify(paths[4])],
    );
  });
});

describe("secretFilesOf", () => {
  it("has the config where the API has secrets", () => {
    const of = (api: object) => secretFilesOf("c.json", toConfig({ experimental: { v2ray_api: api } }));
    assert.deepEqual(of({}), []);
    assert.deepEqual(of({ secret: "s3cret" }), ["c.json"]);
    assert.deepEqual(of({ secrets: [{ name: "a", secret: "s3cret" }] }), ["c.json"]);
  });

  it("has the private key of the API, or the config that it is in", () => {
    const of = (tls: object, api: object = {}) =>
      secretFilesOf("c.json", toConfig({ experimental: { v2ray_api: { ...api, tls } } }));
    const inFiles = { enabled: true, certificate_path: "cert.pem", key_path: "key.pem" };
    assert.deepEqual(of(inFiles), ["key.pem"]);
    assert.deepEqual(of(inFiles, { secret: "s3cret" }), ["c.json", "key.pem"]);
    assert.deepEqual(of({ ...inFiles, enabled: false }), []);
    assert.deepEqual(of({ enabled: true, certificate_path: "cert.pem", key: "PEM" }), ["c.json"]);
  });

  it("has nothing for the example that is run first", async () => {
    const config = await loadConfig("examples/config.json", new FakeProcess());
    assert.ok(config !== undefined);
    assert.deepEqual(secretFilesOf("examples/config.json", config), []);
  });
});

describe("a config with a secret that others can read", withModes, () => {
  const text = (log: object): string =>
    JSON.stringify(testConfig({ log, api: { secret: "a-long-random-secret" } }));

  it("is warned about by check, which shows no secret and is content otherwise", async (t) => {
    const path = write(t, 0o644, text({ disabled: true }));
    const process = new FakeProcess();
    assert.equal(await check(["-c", path], process), 0);
    assert.equal(process.printed.stdout, "ok\n");
    assert.match(
      process.printed.stderr,
      /^warning: ".*" has secrets in it .* \(mode 0644\): chmod 600 ".*"\n$/,
    );
    chmodSync(path, 0o600);
    const content = new FakeProcess();
    assert.equal(await check(["-c", path], content), 0);
    assert.deepEqual(content.printed, { stdout: "ok\n", stderr: "" });
  });

  it("is warned about in the log by run, and again after a reload", async (t) => {
    closeAfter(t);
    const folder = createTempDir(t);
    const output = folder.write("run.log", "");
    const path = write(t, 0o644, text({ output }));
    const process = new FakeProcess();
    const running = run(["-c", path], process);
    const warnings = () => readFileSync(output, "utf8").match(/WARN.*mode 0644\): chmod 600/gi) ?? [];
    await until(() => warnings().length === 1);
    process.emit("SIGHUP");
    await until(() => warnings().length === 2);
    process.emit("SIGTERM");
    assert.equal(await running, 0);
  });
});
