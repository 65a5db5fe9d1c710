import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { callJson, expectedCounters, queryCounters } from "../helpers/api-client.js";
import { Cli, rootPath, runCli, startCli, testConfig } from "../helpers/cli.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { listen } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { usage } from "../helpers/usage.js";

describe("v2ray-api run", { concurrency: 3 }, () => {
  it("says where it listens, what it counts and what to try, and nothing else", async (t) => {
    const cli = await startCli(t, testConfig({ log: {} }));
    const query = `http://${cli.api}/v2ray.core.app.stats.command.StatsService/QueryStats`;
    assert.equal(
      cli.stdout.text,
      [
        `inbound mixed-in     mixed on ${cli.proxy}`,
        `v2ray api            ${cli.api}`,
        "counting             inbounds mixed-in; outbounds direct; users alice, bob",
        `try                  curl -s '${query}' -H 'content-type: application/json' -d '{}'`,
        "",
      ].join("\n"),
    );
    assert.equal(cli.stderr.text, "");
  });

  it("says so where several inbounds listen", async (t) => {
    const mixed = { type: "mixed", listen_port: 0 };
    const cli = await startCli(t, { inbounds: [mixed, { ...mixed, tag: "second" }] });
    assert.match(
      cli.stdout.text,
      /^inbound 0 {12}mixed on 127\.0\.0\.1:\d+\ninbound second {7}mixed on 127\.0\.0\.1:\d+\n/,
    );
  });

  it("prints a line to try that works in a shell", needs("curl"), async (t) => {
    const origin = await new Origin().start();
    t.after(async () => origin[Symbol.asyncDispose]());
    const cli = await startCli(t);
    const [, command = ""] = await cli.stdout.matching(/^try +(.*)$/m);
    const empty = await runProgram("sh", ["-c", command]);
    assert.deepEqual(empty, { code: 0, stdout: "{}", stderr: "" });

    await runProgram("curl", ["-s", "-x", `socks5h://bob:bob@${cli.proxy}`, `${origin.url}/bytes/7`]);
    const { stdout } = await runProgram("sh", ["-c", command]);
    const { stat } = JSON.parse(stdout) as { readonly stat: readonly { readonly name: string }[] };
    assert.deepEqual(
      stat.map(({ name }) => name),
      Object.keys(expectedCounters("bob", { up: 0, down: 0 })),
    );
  });

  const listens: readonly (readonly [listen: string, shown: RegExp])[] = [
    [":0", /^v2ray api +every address, port \d+$/m],
  ];
  for (const [host, shown] of listens) {
    it(`prints a line to try that works where it listens on ${host}`, needs("curl"), async (t) => {
      const cli = await startCli(t, testConfig({ api: { listen: host, insecure: true } }));
      assert.match(cli.stdout.text, shown);
      const [, command = ""] = await cli.stdout.matching(/^try +(.*)$/m);
      assert.deepEqual(await runProgram("sh", ["-c", command]), { code: 0, stdout: "{}", stderr: "" });
    });
  }

  const countingNothing: readonly (readonly [
    name: string,
    api: object,
    line: string,
    expectedStatus: number,
  ])[] = [
    [
      "statistics are disabled",
      { stats: { enabled: false, users: ["alice"] } },
      'counting             nothing: "experimental.v2ray_api.stats.enabled" is false',
      404,
    ],
    [
      "nothing is listed",
      { stats: { enabled: true } },
      'counting             nothing: "experimental.v2ray_api.stats" lists no inbounds, outbounds or users',
      200,
    ],
  ];
  for (const [name, api, line, expectedStatus] of countingNothing) {
    it(`says that it counts nothing where ${name}`, async (t) => {
      const cli = await startCli(t, testConfig({ api }));
      const { status } = await callJson(cli.api, "QueryStats");
      assert.equal(status, expectedStatus);
      assert.ok(cli.stdout.text.includes(`\n${line}\n`), cli.stdout.text);
    });
  }

  it("serves an empty StatsService where nothing is listed", needs("curl"), async (t) => {
    const origin = await new Origin().start();
    t.after(async () => origin[Symbol.asyncDispose]());
    const cli = await startCli(t, testConfig({ api: { stats: { enabled: true } } }));
    const proxy = `socks5h://alice:alice@${cli.proxy}`;
    const { code } = await runProgram("curl", ["-s", "-x", proxy, `${origin.url}/bytes/7`]);
    assert.equal(code, 0);
    assert.deepEqual(await queryCounters(cli.api), {});
  });

  it("runs the proxy where the API is off", needs("curl"), async (t) => {
    const origin = await new Origin().start();
    t.after(async () => origin[Symbol.asyncDispose]());
    const cli = await startCli(t, testConfig({ api: { listen: "" } }));
    assert.equal(
      cli.stdout.text,
      [
        `inbound mixed-in     mixed on ${cli.proxy}`,
        'v2ray api            off: "experimental.v2ray_api.listen" is empty',
        "counting             inbounds mixed-in; outbounds direct; users alice, bob",
        "",
      ].join("\n"),
    );
    const args = ["-s", "-x", `socks5h://alice:alice@${cli.proxy}`, "-o", "/dev/null"];
    const { code } = await runProgram("curl", [...args, `${origin.url}/bytes/70000`]);
    assert.equal(code, 0);
    assert.ok(origin.downlinkBytes > 70_000);
  });

  it("reads config.json where it is run, unless told otherwise", async (t) => {
    const folder = createTempDir(t);
    folder.write("config.json", JSON.stringify(testConfig({ inbound: "found" })));
    const cli = new Cli(["run"], { cwd: folder.path });
    t.after(async () => cli[Symbol.asyncDispose]());
    await cli.started();
    assert.match(cli.stdout.text, /^inbound found /);
  });
});

describe("v2ray-api run, where it cannot start", () => {
  it("names the API's port that is in use", async (t) => {
    const { port } = await listen(t, createServer());
    const folder = createTempDir(t);
    const config = testConfig({ api: { listen: `127.0.0.1:${port}` } });
    assert.deepEqual(await runCli(["run", "-c", folder.write("c.json", JSON.stringify(config))]), {
      code: 1,
      stdout: "",
      stderr: `v2ray-api: v2ray_api: listen 127.0.0.1:${port}: address in use\n`,
    });
  });

  it("names the log file that it cannot write", async (t) => {
    const folder = createTempDir(t);
    const config = testConfig({ log: { output: folder.path } });
    const { code, stdout, stderr } = await runCli([
      "run",
      "-c",
      folder.write("c.json", JSON.stringify(config)),
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, `v2ray-api: log: EISDIR: illegal operation on a directory, open '${folder.path}'\n`);
  });

  it("says that there is no config", async (t) => {
    const path = createTempDir(t).join("none.json");
    assert.deepEqual(await runCli(["run", "-c", path]), {
      code: 1,
      stdout: "",
      stderr: `${path}: 1 error\ncannot read "${path}": there is no such file\n`,
    });
  });
});

describe("v2ray-api, as a command line", { concurrency: 3 }, () => {
  const usageOfCheck = "usage: v2ray-api check [-c FILE]\n";

  // What each command line prints is the matter of test/cli; here it is the process that ends.
  const table: readonly (readonly [
    args: readonly string[],
    code: number,
    stdout: string,
    stderrEnd: string,
  ])[] = [
    [["--help"], 0, usage, ""],
    [["check", "-c", "examples/config.json"], 0, "ok\n", ""],
    [["serve"], 2, "", `v2ray-api: unknown command "serve"\n\n${usage}`],
    [["check", "extra"], 2, "", usageOfCheck],
  ];
  for (const [args, code, stdout, stderrEnd] of table) {
    it(`exits with ${code} after ${JSON.stringify(args.join(" "))}`, async () => {
      const result = await runCli(args, rootPath);
      assert.deepEqual([result.code, result.stdout], [code, stdout]);
      assert.equal(result.stderr.slice(-stderrEnd.length || result.stderr.length), stderrEnd);
      assert.doesNotMatch(result.stderr, /\n {4}at /);
    });
  }
});

describe("npm start", () => {
  it("runs examples/config.json, with its ports or with another config's", async (t) => {
    const { scripts } = JSON.parse(readFileSync(join(rootPath, "package.json"), "utf8")) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const [node, main, ...args] = scripts["start"]?.split(" ") ?? [];
    assert.deepEqual([node, main], ["node", "dist/cli/main.js"]);
    assert.deepEqual(args, ["run", "-c", "examples/config.json"]);

    const example = readFileSync(join(rootPath, "examples", "config.json"), "utf8");
    const copy = example
      .replace('"listen_port": 2080', '"listen_port": 0')
      .replace('"listen": "127.0.0.1:10085"', '"listen": "127.0.0.1:0"');
    assert.equal(copy.length, example.length - "208".length - "1008".length);
    const path = createTempDir(t).write("config.json", copy);
    // As `npm start -- -c FILE` has it.
    const cli = new Cli([...args, "-c", path], { cwd: rootPath });
    t.after(async () => cli[Symbol.asyncDispose]());
    await cli.started();
    assert.match(cli.stdout.text, /^inbound mixed-in +mixed on 127\.0\.0\.1:\d+\n/);
    assert.match(cli.stdout.text, /^counting +inbounds mixed-in; outbounds direct; users alice, bob$/m);
    assert.deepEqual(await queryCounters(cli.api), {});
  });
});
