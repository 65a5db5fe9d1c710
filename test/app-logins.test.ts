import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../src/net/endpoint.js";
import { createApp, toConfig, type App } from "../src/index.js";
import { readAll, readBytes } from "./helpers/bytes.js";
import { firstPort } from "./helpers/first-port.js";
import { askHttp } from "./helpers/http-client.js";
import { scrape } from "./helpers/metrics.js";
import { connectTo } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { socks5Greeting, socks5Login } from "./helpers/socks5-client.js";
import { failed } from "./helpers/timing.js";

const io = { timeout: 20_000 };
const users = [{ username: "alice", password: "secret" }];
const guess = { username: "alice", password: "guess" };
const one = { type: "http", tag: "one", listen_port: 0, users };
const two = { type: "socks", tag: "two", listen_port: 0, users };
const experimental = { v2ray_api: { listen: "127.0.0.1:0" } };

interface Started {
  readonly app: App;
  readonly logger: RecordingLogger;
  readonly http: Endpoint;
  readonly socks: Endpoint;
  readonly apiPort: number;
}

/** An app whose clock stands still, and at whose one inbound ten logins have failed. */
async function startGuessed(t: TestContext): Promise<Started> {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const logger = new RecordingLogger();
  const app = createApp(toConfig({ inbounds: [one, two], experimental }), { logger });
  closeAfter(t, app);
  const { inbounds, api } = await app.start();
  const [http, socks] = inbounds.map(({ address }) => address);
  assert.ok(http !== undefined && socks !== undefined);
  for (let count = 0; count < 10; count++) {
    const client = await connectTo(t, http);
    assert.equal((await askHttp(client, { host: "a.test", port: 1 }, guess)).status, 407);
    client.destroy();
  }
  return { app, logger, http, socks, apiPort: firstPort(api) };
}

/** Waits until that many answers have been put off. */
async function untilLate({ apiPort }: Started, count: number): Promise<Record<string, string>> {
  for (;;) {
    const series = await scrape(apiPort);
    if (series['v2ray_api_failed_logins_total{answered="late"}'] === String(count)) return series;
  }
}

/** Fails to log in at the other inbound; what is heard from there on is the answer. */
async function guessBySocks(t: TestContext, { socks }: Started): Promise<Socket> {
  const client = await connectTo(t, socks);
  client.write(Buffer.concat([socks5Greeting(2), socks5Login(guess.username, guess.password)]));
  assert.equal((await readBytes(client, 2)).toString("hex"), "0502");
  return client;
}

describe("an app at whose inbounds somebody guesses", () => {
  it("slows them at all of its inbounds, says so once, and counts them", io, async (t) => {
    const started = await startGuessed(t);
    const guesses = [await guessBySocks(t, started), await guessBySocks(t, started)];
    const series = await untilLate(started, 2);
    assert.equal(series['v2ray_api_failed_logins_total{answered="at_once"}'], "10");
    assert.equal(series['v2ray_api_failed_logins_total{answered="never"}'], "0");
    t.mock.timers.tick(2_000);
    for (const client of guesses) assert.equal((await readAll(client)).toString("hex"), "0101");
    assert.deepEqual(started.logger.messages("warn"), ["wrong logins are answered late"]);
  });

  it("does not let them hold up a reload or the stop", io, async (t) => {
    const started = await startGuessed(t);
    const cut = failed((await guessBySocks(t, started)).resume());
    await untilLate(started, 1);
    await started.app.reload(toConfig({ inbounds: one, experimental }));
    assert.equal((await cut).code, "ECONNRESET");
    const client = await connectTo(t, started.http);
    const answer = askHttp(client, { host: "a.test", port: 1 }, guess);
    await untilLate(started, 2);
    const stopped = started.app.stop(new AbortController().signal);
    assert.equal((await answer).status, 407);
    client.destroy();
    await stopped;
  });
});
