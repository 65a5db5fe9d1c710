import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { assertCounters, expectedCounters } from "../helpers/api-client.js";
import { startCli, testConfig } from "../helpers/cli.js";
import { count, startApi, userUplink } from "../helpers/api-server.js";
import { askThrough } from "../helpers/cli-traffic.js";
import { openOrigin } from "../helpers/open-origin.js";
import { needs } from "../helpers/outside-client.js";
import { startPageSite } from "../helpers/page-site.js";
import { runProgram } from "../helpers/program.js";
import { codeBlocks, snippetsWith } from "../helpers/readme.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { startUnixFront } from "../helpers/unix-front.js";
import { WatchedText } from "../helpers/watched-text.js";

const io = { timeout: 20_000 };

describe("README", () => {
  it("names both commands to the letter", async () => {
    const commands = (await codeBlocks("sh")).filter((block) => block.startsWith("npm ci"));
    assert.deepEqual(commands, ["npm ci && npm start", "npm ci && npm test"]);
  });

  it("says of each entry point what it is for", async () => {
    const rows = (await readFile("README.md", "utf8")).matchAll(/^\| `(v2ray-api[^`]*)` /gm);
    const { exports } = JSON.parse(await readFile("package.json", "utf8")) as { exports: object };
    assert.deepEqual(
      Array.from(rows, ([, name]) => name),
      Object.keys(exports)
        .filter((path) => path !== "./package.json")
        .map((path) => path.replace(".", "v2ray-api")),
    );
  });

  it("has snippets that count sockets and read the counters in the process", io, async (t) => {
    const port = await closedPort();
    const snippets = await snippetsWith("js", "tracker.routedConnection(", "counter.value");
    const use = `
      server.once("listening", () => {
        const client = net.connect(7007, "127.0.0.1").resume().end("hello");
        client.once("close", () => {
          report();
          console.log(bill());
          report();
          console.log("reported");
        });
      });
    `;
    const output = await runModule(t, `${snippets}${use}`.replaceAll("7007", `${port}`));
    await output.matching(/^reported$/m);
    assert.deepEqual(output.text.trimEnd().split("\n"), [
      "through",
      "user>>>alice>>>traffic>>>uplink 5n 5n",
      "user>>>alice>>>traffic>>>downlink 5n 5n",
      "5n",
      "user>>>alice>>>traffic>>>uplink 0n 5n",
      "user>>>alice>>>traffic>>>downlink 5n 5n",
      "reported",
    ]);
  });

  it("has a snippet that serves what the two before it count", io, async (t) => {
    const echoPort = await closedPort();
    const apiPort = await closedPort();
    const snippets = await snippetsWith("js", "tracker.routedConnection(", "counter.value", "new ApiServer(");
    await runModule(t, snippets.replaceAll("7007", `${echoPort}`).replaceAll("10085", `${apiPort}`));

    const client = connect(echoPort, "127.0.0.1");
    client.end("hello");
    await once(client.resume(), "close");

    const answer = await fetch(
      `http://127.0.0.1:${apiPort}/v2ray.core.app.stats.command.StatsService/QueryStats`,
      { method: "POST", headers: { "content-type": "application/json" }, body: '{"patterns":["user>>>"]}' },
    );
    assert.deepEqual(await answer.json(), {
      stat: [
        { name: "user>>>alice>>>traffic>>>uplink", value: "5" },
        { name: "user>>>alice>>>traffic>>>downlink", value: "5" },
      ],
    });
  });

  it("has a snippet that runs the proxy of a config without the API", io, async (t) => {
    const config = { inbounds: { type: "mixed", listen_port: 0 } };
    await runModule(t, await snippetsWith("js", 'from "v2ray-api/proxy"'), {
      "config.json": JSON.stringify(config),
    });
  });

  const withCurl = { ...needs("curl"), ...io };
  it("has commands that read a Unix socket with a secret from a file", withCurl, async (t) => {
    const { store, port } = await startApi(t, { secrets: [{ name: "panel", secret: "s3cret" }] });
    count(store, userUplink("alice"), 5);
    const path = await startUnixFront(t, { host: "127.0.0.1", port });
    const commands = (await snippetsWith("sh", "--unix-socket")).replace("/run/v2ray-api/api.sock", path);
    const { path: cwd } = createTempDir(t);
    for (const [secret, answer] of [
      ["s3cret", /^v2ray_traffic_uplink_bytes_total\{dimension="user",target="alice"\} 5$/m],
      ["guess", /this is not a secret of this server/],
    ] as const) {
      const env = { V2RAY_API_SECRET: secret };
      const { code, stdout } = await runProgram("sh", ["-ec", commands], { cwd, env });
      assert.equal(code, 0);
      assert.match(stdout, answer);
    }
  });

  const inChromium = { ...needs("chromium"), timeout: 90_000 };
  it("has a page that shows the counters, and the config that lets it", inChromium, async (t) => {
    const site = await startPageSite(t);
    const text = await snippetsWith("json", "access_control_allow_origin");
    const ofTest = text.replace("https://panel.example", site.origin).replace("10085", "0");
    const { experimental } = JSON.parse(ofTest) as { experimental: { v2ray_api: object } };
    const cli = await startCli(t, testConfig({ api: experimental.v2ray_api }));
    const origin = await openOrigin(t);
    await askThrough(t, cli.proxy, "alice", `${origin.url}/bytes/5000`);
    await assertCounters(cli.api, () => expectedCounters("alice", origin.moved));

    const snippet = await snippetsWith("js", "v2ray-api/stats-service");
    const { shown } = await site.run(t, snippet.replace("127.0.0.1:10085", cli.api));
    assert.deepEqual(shown.split(/\n+/), [
      `user>>>alice>>>traffic>>>uplink: ${origin.moved.up} bytes`,
      `user>>>alice>>>traffic>>>downlink: ${origin.moved.down} bytes`,
    ]);
  });
});

/**
 * Runs a module as a user's project would, beside other files, and waits until its last line is through.
 *
 * @returns what it prints.
 */
async function runModule(
  t: TestContext,
  code: string,
  files: Readonly<Record<string, string>> = {},
): Promise<WatchedText> {
  // Inside the package, its own name leads to it.
  const folder = await mkdtemp(join("build", "readme-"));
  const program = { "snippet.mjs": `${code}\nconsole.log("through");\n` };
  for (const [name, text] of Object.entries({ ...files, ...program }))
    await writeFile(join(folder, name), text);
  const child: ChildProcess = spawn(process.execPath, ["snippet.mjs"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });
  assert.ok(child.stdout !== null);
  const output = new WatchedText(child.stdout, "stdout");
  await output.matching(/^through$/m);
  return output;
}
