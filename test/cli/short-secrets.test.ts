import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { check } from "../../src/cli/check.js";
import { run } from "../../src/cli/run.js";
import { findShortSecrets } from "../../src/cli/short-secrets.js";
import { toConfig } from "../../src/config/to-config.js";
import { testConfig } from "../helpers/cli.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const short = "fifteen-letters";
const long = "sixteen--letters";

const warningsOf = (api: object): readonly string[] =>
  findShortSecrets(toConfig({ experimental: { v2ray_api: api } }));

describe("findShortSecrets", () => {
  it("names each secret with fewer than 16 characters, and shows none", () => {
    const secrets = [
      { name: "panel", secret: short },
      { name: "grafana", secret: long },
    ];
    assert.deepEqual(warningsOf({ secret: "s3cret", secrets }), [
      'the secret "secret" has fewer than 16 characters and can be guessed: take one from "openssl rand -hex 32"',
      'the secret "panel" has fewer than 16 characters and can be guessed: take one from "openssl rand -hex 32"',
    ]);
  });

  it("says nothing of longer ones, or where there are none", () => {
    assert.deepEqual(warningsOf({}), []);
    assert.deepEqual(warningsOf({ secret: long }), []);
  });
});

describe("a config with a short secret", io, () => {
  /** A config that nobody else can read. */
  const write = (t: TestContext, secret: string, log: object): string => {
    const path = createTempDir(t).write("config.json", JSON.stringify(testConfig({ log, api: { secret } })));
    chmodSync(path, 0o600);
    return path;
  };

  it("is warned about by check, which shows no secret and is content otherwise", async (t) => {
    for (const [secret, warning] of [
      [short, /^warning: the secret "secret" has fewer than 16 characters and can be guessed: .*\n$/],
      [long, /^$/],
    ] as const) {
      const process = new FakeProcess();
      assert.equal(await check(["-c", write(t, secret, { disabled: true })], process), 0);
      assert.match(process.printed.stderr, warning);
      assert.equal(process.printed.stdout, "ok\n");
    }
  });

  it("is warned about in the log by run, and again after a reload", async (t) => {
    closeAfter(t);
    const output = createTempDir(t).write("run.log", "");
    const process = new FakeProcess();
    const running = run(["-c", write(t, short, { output })], process);
    const logged = (): string => readFileSync(output, "utf8");
    const warnings = () => logged().match(/WARN.*the secret "secret" has fewer than 16/gi) ?? [];
    await until(() => warnings().length === 1);
    process.emit("SIGHUP");
    await until(() => warnings().length === 2);
    process.emit("SIGTERM");
    assert.equal(await running, 0);
    assert.doesNotMatch(logged(), new RegExp(short));
  });
});
