import assert from "node:assert/strict";
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { callJson, queryCounters, serviceNames } from "./helpers/api-client.js";
import { readAll } from "./helpers/bytes.js";
import { openSession, sendHttp2, sendOnSession, sessionClosed } from "./helpers/raw-http.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { closeAfter, closedPort } from "./helpers/sockets.js";
import { event } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const inbounds = { type: "mixed", tag: "in", listen_port: 0 };

function withApi(api: object): object {
  return { inbounds, experimental: { v2ray_api: { stats: { enabled: true, inbounds: "*" }, ...api } } };
}

interface QueryOptions {
  /** Default: a connection of its own. */
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** Asks for all counters. */
function query(api: string, { agent, headers }: QueryOptions = {}): ClientRequest {
  return httpRequest(`http://${api}/${serviceNames[0]}/QueryStats`, {
    method: "POST",
    agent: agent ?? false,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Polls on one connection that is kept, as panels do. */
class Poller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async poll(api: string): Promise<string> {
    const response = (await event(
      query(api, { agent: this.#agent }).end("{}"),
      "response",
    )) as IncomingMessage;
    return (await readAll(response)).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}

describe("App's reload, of the API", () => {
  it("moves it while a client polls, whose counters go on", io, async (t) => {
    const app = await startReloadedApp(t, withApi({ listen: "127.0.0.1:0" }));
    const poller = new Poller();
    closeAfter(t, poller);
    const tunnel = await app.open("in");
    await tunnel.assertAlive();
    const oldApi = app.api;
    let answer = "";
    while (!answer.includes('"5"')) answer = await poller.poll(oldApi);

    await app.reload(withApi({ listen: `127.0.0.1:${await closedPort()}` }));
    assert.notEqual(app.api, oldApi);
    await assert.rejects(callJson(oldApi, "QueryStats"), { code: "ECONNREFUSED" });
    assert.equal(await poller.poll(app.api), answer);
    await tunnel.assertAlive();
    assert.deepEqual(app.reported, { added: undefined, changed: "v2ray_api", removed: undefined });
  });

  it("lets a call that is running end where it began", io, async (t) => {
    const app = await startReloadedApp(t, withApi({ listen: "127.0.0.1:0" }));
    await (await app.open("in")).assertAlive();
    const request = query(app.api, { headers: { "content-length": 2 } });
    request.write("{");
    const socket = (await event(request, "socket")) as Socket;
    await event(socket, "connect");
    // The server has begun with it when it has answered another one behind it.
    await callJson(app.api, "GetSysStats");
    await app.reload(withApi({ listen: `127.0.0.1:${await closedPort()}` }));
    request.end("}");
    const response = (await event(request, "response")) as IncomingMessage;
    assert.match((await readAll(response)).toString(), /inbound>>>in/);
  });

  it("opens it anew on its port when it lets others call", io, async (t) => {
    closeAfter(t);
    const listen = `127.0.0.1:${await closedPort()}`;
    const app = await startReloadedApp(t, withApi({ listen }));
    await app.reload(withApi({ listen, access_control_allow_origin: "https://panel.example" }));
    assert.equal(app.api, listen);
    const request = query(listen, { headers: { origin: "https://panel.example" } }).end("{}");
    const response = (await event(request, "response")) as IncomingMessage;
    assert.equal(response.headers["access-control-allow-origin"], "https://panel.example");
    await readAll(response);
  });

  it("lets nobody go on with a secret that is gone, on whatever connection", io, async (t) => {
    closeAfter(t);
    const listen = `127.0.0.1:${await closedPort()}`;
    const app = await startReloadedApp(t, withApi({ listen, secret: "old" }));
    const session = openSession(t, Number(listen.split(":")[1]));
    const call = (secret: string) => ({
      path: `/${serviceNames[0]}/QueryStats`,
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: "{}",
    });
    assert.equal((await sendOnSession(session, call("old"))).status, 200);
    const ended = sessionClosed(session);
    await app.reload(withApi({ listen, secrets: { name: "a", secret: "new" } }));
    await ended;
    for (const [secret, status] of [
      ["old", 401],
      ["new", 200],
    ] as const) {
      assert.equal((await sendHttp2(Number(listen.split(":")[1]), call(secret))).status, status);
    }
    assert.doesNotMatch(JSON.stringify(app.logger.lines), /"(old|new)"/);
    await app.reload(withApi({ listen }));
    assert.equal((await callJson(listen, "QueryStats")).status, 200);
  });

  it("switches it on and off, and lets it serve what was counted before", io, async (t) => {
    const app = await startReloadedApp(t, withApi({}));
    assert.deepEqual(app.addresses.api, []);
    const tunnel = await app.open("in");
    await tunnel.assertAlive();
    await app.reload(withApi({ listen: "127.0.0.1:0" }));
    const counters = await queryCounters(app.api);
    assert.equal(counters["inbound>>>in>>>traffic>>>uplink"], 4n);
    const { api } = app;
    await app.reload(withApi({}));
    assert.deepEqual(app.addresses.api, []);
    await assert.rejects(callJson(api, "QueryStats"), { code: "ECONNREFUSED" });
    await tunnel.assertAlive();
  });

  it("leaves it alone where only the list of whom to count is another one", io, async (t) => {
    const app = await startReloadedApp(t, withApi({ listen: "127.0.0.1:0" }));
    const { api } = app;
    await app.reload(withApi({ listen: "127.0.0.1:0", stats: { enabled: true, outbounds: "*" } }));
    assert.equal(app.api, api);
    await (await app.open("in")).assertAlive();
    assert.deepEqual(Object.keys(await queryCounters(api)), [
      "outbound>>>direct>>>traffic>>>uplink",
      "outbound>>>direct>>>traffic>>>downlink",
    ]);
  });
});
