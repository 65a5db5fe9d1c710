import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { queryCounters } from "../helpers/api-client.js";
import { connectTo, portOf, startCli, testConfig, type Cli } from "../helpers/cli.js";
import { basicLogin, connectHead } from "../helpers/http-client.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { closed } from "../helpers/timing.js";

const right = { username: "alice", password: "r1ght-s3cret" };
const wrong = { username: "alice", password: "wr0ng-s3cret" };
const users = [right];

/** Sends everything at once and waits for the close, which is the proxy's. */
async function exchange(t: TestContext, proxy: string, bytes: Buffer | string): Promise<void> {
  const socket = connectTo(t, proxy);
  socket.resume();
  socket.end(bytes);
  await closed(socket);
}

/** One connection that is let in, and whose destination is the API. */
async function useProxy(t: TestContext, { proxy, api }: Cli): Promise<void> {
  await exchange(t, proxy, `${connectHead(api, basicLogin(right))}${requestTo(api)}`);
}

function requestTo(api: string): string {
  return `GET / HTTP/1.1\r\nHost: ${api}\r\nConnection: close\r\n\r\n`;
}

/** The fields of a line, whatever stands before them. */
function factsIn(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line.slice(line.indexOf("{"))) as Readonly<Record<string, unknown>>;
}

describe("the log", { concurrency: 3 }, () => {
  it("goes to stderr, in lines that begin with the time", async (t) => {
    const cli = await startCli(t, testConfig({ users, log: {} }));
    await useProxy(t, cli);
    const [line] = await cli.stderr.matching(/^.*\n/);
    const [, port = ""] = /"source":"127\.0\.0\.1:(\d+)"/.exec(line) ?? [];
    assert.match(line, /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4}\] INFO: connection closed \{/);
    const { id, duration_ms, uplink_bytes, downlink_bytes, ...facts } = factsIn(line);
    assert.equal(id, 1);
    assert.ok(Number.isSafeInteger(duration_ms) && Number(duration_ms) >= 0 && Number(duration_ms) < 60_000);
    assert.equal(uplink_bytes, requestTo(cli.api).length);
    assert.ok(Number(downlink_bytes) > 0);
    assert.deepEqual(facts, {
      inbound: "mixed-in",
      outbound: "direct",
      user: "alice",
      network: "tcp",
      rule: "final",
      source: `127.0.0.1:${port}`,
      destination: cli.api,
    });
  });

  it("goes to stdout on demand, behind the banner and without the time", async (t) => {
    const log = { output: "stdout", timestamp: false, level: "debug" };
    const cli = await startCli(t, testConfig({ users, log }));
    await useProxy(t, cli);
    await cli.stdout.matching(
      /^try .*\nDEBUG: connection opened \{.*\}\n(DEBUG: .*\n)*INFO: connection closed \{.*\}\n/m,
    );
    assert.equal(cli.stderr.text, "");
  });

  it("goes to a file on demand, whose folder is made", async (t) => {
    const output = createTempDir(t).join("a/b/v2ray-api.log");
    const cli = await startCli(t, testConfig({ users, log: { output, timestamp: false } }));
    await useProxy(t, cli);
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);
    assert.match(readFileSync(output, "utf8"), /^INFO: connection closed \{.*\}\n$/);
    assert.equal(cli.stderr.text, "");
  });

  it("is JSON lines on demand, each connection one with all its facts", async (t) => {
    const output = createTempDir(t).join("v2ray-api.log");
    const cli = await startCli(t, testConfig({ users, log: { output, format: "json" } }));
    await useProxy(t, cli);
    await useProxy(t, cli);
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);
    const lines = readFileSync(output, "utf8").trimEnd().split("\n").map(factsIn);
    assert.deepEqual(
      lines.map(({ level, message, id, user, uplink_bytes }) => [level, message, id, user, uplink_bytes]),
      [1, 2].map((id) => ["info", "connection closed", id, "alice", requestTo(cli.api).length]),
    );
  });

  it("is silent where it is disabled, and makes no file", async (t) => {
    const output = createTempDir(t).join("v2ray-api.log");
    const cli = await startCli(t, testConfig({ users, log: { disabled: true, level: "debug", output } }));
    await useProxy(t, cli);
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);
    assert.equal(existsSync(output), false);
    assert.equal(cli.stderr.text, "");
  });

  const full = { skip: existsSync("/dev/full") ? false : "there is no /dev/full here" };
  for (const format of ["text", "json"]) {
    it(`does not stop the proxy when it cannot be written any more, as ${format}`, full, async (t) => {
      const log = { level: "debug", output: "/dev/full", format };
      const cli = await startCli(t, testConfig({ users, log }));
      await useProxy(t, cli);
      await useProxy(t, cli);
      assert.equal(Object.keys(await queryCounters(cli.api)).length, 6);
      cli.kill("SIGTERM");
      assert.equal(await cli.exited(), 0);
    });
  }

  it("has whole lines only, and no password in any of them", async (t) => {
    const cli = await startCli(t, testConfig({ users, log: { level: "trace" } }));
    const socks = (user: typeof right): Buffer =>
      Buffer.concat([socks5Greeting(2), socks5Login(user.username, user.password)]);
    const destination = { host: "127.0.0.1", port: portOf(cli.api) };
    const exchanges: readonly (readonly [bytes: Buffer | string, logged: RegExp])[] = [
      [
        Buffer.concat([socks(right), socks5Request(destination)]),
        /INFO: connection closed \{.*"user":"alice"/,
      ],
      [socks(wrong), /wrong username or password/],
      [socks5Login(wrong.username, wrong.password), /Parse Error/],
      [socks({ username: right.password, password: "alice" }), /wrong username or password/],
      [connectHead(cli.api, basicLogin(right)), /INFO: connection closed [^]*INFO: connection closed /],
      [connectHead(cli.api, basicLogin(wrong)), /a username and its password are required/],
      [connectHead(`alice:${wrong.password}@a:1`, basicLogin(right)), /is not HOST:PORT/],
      [
        `GET http://alice:${wrong.password}@a/ HTTP/1.1\r\nHost: a\r\n${basicLogin(right)}\r\nConnection: close\r\n\r\n`,
        /has user info/,
      ],
      [
        `CONNECT a:1 HTTP/1.1\r\n${basicLogin(right)}\r\n folded: ${wrong.password}\r\n\r\n`,
        /Parse Error[^]*Parse Error/,
      ],
    ];
    for (const [bytes, logged] of exchanges) {
      await exchange(t, cli.proxy, bytes);
      await cli.stderr.matching(logged);
    }
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);

    const text = cli.stderr.text;
    for (const line of text.trimEnd().split("\n")) assert.match(line, /^\[\d{4}-.*\] [A-Z]+: \S/);
    for (const secret of [right.password, wrong.password]) {
      assert.ok(!text.includes(secret), `it contains ${secret}:\n${text}`);
      assert.ok(!text.includes(Buffer.from(`alice:${secret}`).toString("base64")));
    }
    assert.doesNotMatch(cli.stdout.text, /s3cret/);
  });
});
