import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { queryCounters, serviceNames } from "../helpers/api-client.js";
import { connectTo, startCli, testConfig, type Cli } from "../helpers/cli.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { askSocks5 } from "../helpers/socks5-client.js";
import { closed, failed } from "../helpers/timing.js";

/** Well below the grace time of 5 s. */
const atOnceMs = 2_500;
const signals = ["SIGINT", "SIGTERM"] as const;
const stopping = "stopping: a second signal cuts what is still open\n";

async function startOrigin(t: TestContext): Promise<Origin> {
  const origin = await new Origin().start();
  t.after(async () => origin[Symbol.asyncDispose]());
  return origin;
}

/** A connection that is established. */
async function connectFully(t: TestContext, address: string): Promise<Socket> {
  const socket = connectTo(t, address);
  await once(socket, "connect");
  return socket;
}

/** A tunnel to the origin through which half a body has come; the origin holds the other half. */
async function openHeldTunnel(t: TestContext, cli: Cli, origin: Origin): Promise<Socket> {
  const tunnel = await connectFully(t, cli.proxy);
  const destination = { host: "127.0.0.1", port: origin.port };
  const { reply } = await askSocks5(tunnel, destination, { username: "alice", password: "alice" });
  assert.equal(reply, 0);
  tunnel.write("GET /held/100 HTTP/1.1\r\nHost: origin\r\n\r\n");
  await once(tunnel, "readable");
  return tunnel;
}

async function assertRefused(t: TestContext, address: string): Promise<void> {
  const socket = connectTo(t, address);
  // A connection that came just before the listener closed is reset with it.
  assert.match((await failed(socket)).code ?? "", /^ECONN(REFUSED|RESET)$/);
}

// Concurrently: one of them waits for the whole grace time.
describe("v2ray-api run, told to stop", { concurrency: 3 }, () => {
  for (const signal of signals) {
    it(`exits with 0 after ${signal} though it had nothing to do`, async (t) => {
      const cli = await startCli(t, {});
      cli.kill(signal);
      assert.equal(await cli.exited(atOnceMs), 0);
    });

    it(`exits with 0 at once after ${signal} when it is idle`, async (t) => {
      const cli = await startCli(t, testConfig({ log: {} }));
      const banner = cli.stdout.text;
      cli.kill(signal);
      assert.equal(await cli.exited(atOnceMs), 0);
      assert.equal(cli.stdout.text, `${banner}${stopping}`);
      assert.equal(cli.stderr.text, "");
    });
  }

  it("does not wait for connections that ask for nothing", async (t) => {
    const cli = await startCli(t);
    const sockets = [await connectFully(t, cli.proxy), await connectFully(t, cli.api)];
    const halfGreeting = await connectFully(t, cli.proxy);
    halfGreeting.write(Buffer.of(5, 2));
    const halfPreface = await connectFully(t, cli.api);
    halfPreface.write("PRI * HT");
    const halfConnect = await connectFully(t, cli.proxy);
    halfConnect.write("CONNECT 127.0.0.1:1 HTTP/1.1\r\n");

    const agent = new Agent({ keepAlive: true });
    t.after(() => {
      agent.destroy();
    });
    const [response] = (await once(get(`http://${cli.api}/`, { agent }), "response")) as [
      NodeJS.ReadableStream,
    ];
    response.resume();
    await once(response, "end");

    const session = connectHttp2(`http://${cli.api}`);
    t.after(() => {
      session.destroy();
    });
    const stream = session.request({
      ":path": `/${serviceNames[0]}/GetSysStats?encoding=json&message=%7B%7D`,
    });
    stream.resume();
    await once(stream, "close");

    cli.kill("SIGTERM");
    assert.equal(await cli.exited(atOnceMs), 0);
    await Promise.all(
      [...sockets, halfGreeting, halfPreface, halfConnect].map(async (socket) => {
        socket.resume();
        await closed(socket.end());
      }),
    );
  });

  it(
    "lets a transfer in progress finish, and takes no new connection meanwhile",
    needs("curl"),
    async (t) => {
      const origin = await startOrigin(t);
      const cli = await startCli(t);
      const proxy = `socks5h://alice:alice@${cli.proxy}`;
      const length = 3_000_000;
      const firstBytes = origin.held();
      const download = runProgram("curl", ["-sS", "-x", proxy, `${origin.url}/held/${length}`, "-o", "-"]);
      await firstBytes;

      cli.kill("SIGTERM");
      await cli.stdout.matching(/^stopping: /m);
      await assertRefused(t, cli.proxy);
      await assertRefused(t, cli.api);
      assert.ok(cli.isRunning);
      origin.release();
      const { code, stdout } = await download;
      assert.equal(code, 0);
      assert.ok(stdout === Origin.body(length).toString(), "the bytes differ");
      assert.equal(await cli.exited(atOnceMs), 0);
    },
  );

  for (const second of signals) {
    it(`cuts an open tunnel at once after a second signal, ${second}`, async (t) => {
      const origin = await startOrigin(t);
      const cli = await startCli(t);
      const tunnel = await openHeldTunnel(t, cli, origin);
      cli.kill("SIGINT");
      await cli.stdout.matching(/^stopping: /m);
      assert.ok(cli.isRunning);
      cli.kill(second);
      assert.equal(await cli.exited(atOnceMs), 0);
      tunnel.resume();
      await closed(tunnel.end());
    });
  }

  it("cuts an open tunnel by itself when the grace time is over", async (t) => {
    const origin = await startOrigin(t);
    const cli = await startCli(t);
    const tunnel = await openHeldTunnel(t, cli, origin);
    const startMs = performance.now();
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs > 4_500, `it waited for ${tookMs} ms only`);
    tunnel.resume();
    await closed(tunnel.end());
  });

  it("stops in order when nobody reads what it prints", needs("curl"), async (t) => {
    const cli = await startCli(t);
    cli.closeOutput();
    const target = `http://${cli.api}/`;
    // Each connection is a log line, which has nowhere to go.
    for (let count = 0; count < 3; count++) {
      const { code } = await runProgram("curl", ["-s", "-x", `socks5h://alice:alice@${cli.proxy}`, target]);
      assert.equal(code, 0);
    }
    assert.equal(Object.keys(await queryCounters(cli.api)).length, 6);
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(atOnceMs), 0);
  });
});
