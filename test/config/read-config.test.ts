import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConfigError } from "../../src/config/config-error.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { readConfig } from "../../src/config/read-config.js";
import { defaultLimits } from "./api-limits.js";

describe("readConfig", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "v2ray-api-config-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function written(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  async function errorOf(reading: Promise<unknown>): Promise<ConfigError> {
    const outcome = await reading.catch((error: unknown) => error);
    assert.ok(outcome instanceof ConfigError);
    return outcome;
  }

  it("reads a file", async () => {
    const path = await written("fine.json", '{"log": {"output": "größe.log"}} // ✓');
    assert.deepEqual(await readConfig(path), parseConfig('{"log": {"output": "größe.log"}}'));
  });

  it("skips a byte order mark", async () => {
    assert.deepEqual(await readConfig(await written("bom.json", "\uFEFF{}")), parseConfig("{}"));
  });

  it("counts no byte order mark in offsets", async () => {
    const { issues } = await errorOf(readConfig(await written("bom-wrong.json", '\uFEFF{"x": 1}')));
    assert.deepEqual(
      issues.map(({ offset, length }) => [offset, length]),
      [[1, 3]],
    );
  });

  it("reports all that is wrong in the file", async () => {
    const path = await written("wrong.json", '{"log": {"level": "x"}, "route": {"final": "x"}}');
    const { issues, cause } = await errorOf(readConfig(path));
    assert.deepEqual(
      issues.map((issue) => issue.path),
      ["log.level", "route.final"],
    );
    assert.equal(cause, undefined);
  });

  it("names a file that does not exist", async () => {
    const path = join(folder, "none.json");
    const error = await errorOf(readConfig(path));
    assert.equal(error.message, `cannot read "${path}": there is no such file`);
    assert.deepEqual(error.issues, [{ path: "", message: error.message, offset: 0, length: 0 }]);
  });

  it("keeps the system's error as the cause", async () => {
    const { cause } = await errorOf(readConfig(join(folder, "none.json")));
    assert.ok(cause instanceof Error && "code" in cause);
    assert.equal(cause.code, "ENOENT");
  });

  it("has no position and no excerpt where there is no text", async () => {
    const [issue] = (await errorOf(readConfig(join(folder, "none.json")))).issues;
    assert.deepEqual([issue?.position, issue?.excerpt], [undefined, undefined]);
  });

  it("names a directory", async () => {
    const { message } = await errorOf(readConfig(folder));
    assert.equal(message, `cannot read "${folder}": it is a directory, not a file`);
  });

  it("names a file in a file", async () => {
    const path = join(await written("file.json", "{}"), "config.json");
    const { message } = await errorOf(readConfig(path));
    assert.equal(message, `cannot read "${path}": a part of its path is not a directory`);
  });

  it("passes on the system's words for any other reason", async () => {
    const path = join(folder, "x".repeat(1000));
    const { message } = await errorOf(readConfig(path));
    assert.match(message, /^cannot read ".*x{1000}": ENAMETOOLONG: /);
  });

  const notUtf8: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ["a stray byte", Buffer.from('{"log": {"output": "\u00e4"}}', "latin1")],
    ["half a character", Buffer.from("{} // ä").subarray(0, -1)],
    ["UTF-16", Buffer.from("\uFEFF{}", "utf16le")],
  ];
  for (const [what, bytes] of notUtf8) {
    it(`refuses text that is not UTF-8: ${what}`, async () => {
      const path = await written("not-utf8.json", bytes);
      const { message } = await errorOf(readConfig(path));
      assert.equal(message, `"${path}" is not UTF-8 text`);
    });
  }

  it("ends early when its signal says so", async () => {
    const path = await written("aborted.json", "{}");
    const reason = new Error("enough");
    await assert.rejects(readConfig(path, { signal: AbortSignal.abort(reason) }), reason);
  });

  it("is not disturbed by a signal that stays silent", async () => {
    const path = await written("signal.json", "{}");
    assert.deepEqual(await readConfig(path, { signal: new AbortController().signal }), parseConfig("{}"));
  });
});

describe("examples/config.json", () => {
  // The tests run from build/test/config or the like: the example is found from the package's root.
  const example = join(process.cwd(), "examples", "config.json");

  it("is a config as it should be", async () => {
    assert.deepEqual(await readConfig(example), {
      $schema: "../config.schema.json",
      log: { disabled: false, level: "info", output: "stderr", format: "text", timestamp: true },
      inbounds: [
        {
          type: "mixed",
          insecure: false,
          udp_timeout: 300_000,
          tag: "mixed-in",
          listen: "127.0.0.1",
          listen_port: 2080,
          users: [
            { username: "alice", password: "alice" },
            { username: "bob", password: "bob" },
          ],
        },
      ],
      outbounds: [{ type: "direct", tag: "direct", connect_timeout: 5_000 }],
      route: { rules: [] },
      experimental: {
        limits: { connections: 65_536, connections_per_source: 4_096 },
        timeouts: { handshake: 15_000, idle: 0, linger: 2_000, http_keep_alive: 60_000 },
        v2ray_api: {
          listen: [{ host: "127.0.0.1", port: 10_085 }],
          secrets: [],
          tls: {
            enabled: false,
            min_version: "1.2",
            client_authentication: "no",
            client_certificate_path: [],
          },
          insecure: false,
          allow_from_proxy: false,
          access_control_allow_origin: [],
          stats: {
            enabled: true,
            inbounds: ["mixed-in"],
            outbounds: ["direct"],
            users: ["alice", "bob"],
            max_counters: 1_000_000,
            online_loopback: true,
          },
          metrics: { enabled: true, prefix: "v2ray", users: true },
          limits: defaultLimits,
        },
      },
    });
  });

  it("explains itself in comments", async () => {
    assert.match(await readFile(example, "utf8"), /^\s*\/\/ /m);
  });
});
