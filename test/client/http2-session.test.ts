import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ClientHttp2Stream, type ServerHttp2Session } from "node:http2";
import { describe, it } from "node:test";
import { Http2Session } from "../../src/client/http2-session.js";
import { readAll } from "../helpers/bytes.js";
import { serveHttp2 } from "../helpers/family-server.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };

async function ask(session: Http2Session, path: string): Promise<string> {
  const stream = await session.request("GET", path, {}, {});
  return (await readAll(stream)).toString();
}

describe("Http2Session", () => {
  failOnUnhandled();

  it("makes all requests over one connection", io, async (t) => {
    const server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
    const sessions: ServerHttp2Session[] = [];
    server.on("session", (session) => sessions.push(session));
    using session = new Http2Session(await serveHttp2(t, server));
    assert.equal(await ask(session, "/a"), "GET /a");
    assert.equal(await ask(session, "/b?c"), "GET /b?c");
    assert.equal(sessions.length, 1);
  });

  it("connects anew where the server has closed the connection, or cut it", io, async (t) => {
    const server = createServer((_, response) => response.end("hello"));
    const sessions: ServerHttp2Session[] = [];
    server.on("session", (session) => sessions.push(session));
    using session = new Http2Session(await serveHttp2(t, server));
    // A request may still go to a connection whose end has not been heard of.
    const untilAnswered = async (): Promise<void> => {
      while ((await ask(session, "/").catch(() => "")) !== "hello");
    };
    for (const end of ["close", "destroy"] as const) {
      await untilAnswered();
      const last = sessions.at(-1);
      assert.ok(last !== undefined);
      const closed = once(last, "close");
      last[end]();
      await closed;
    }
    await untilAnswered();
    assert.equal(sessions.length, 3);
  });

  it("tells the request that nobody listens, and connects when somebody does", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    using session = new Http2Session({ host: "127.0.0.1", port });
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(session.request("GET", "/", {}, {}), { code: "ECONNREFUSED" });
    }
  });

  it("leaves an error of its connection to the requests, and not to the process", io, async (t) => {
    const server = createServer();
    using session = new Http2Session(await serveHttp2(t, server));
    const arrived = once(server, "stream");
    const stream: ClientHttp2Stream = await session.request("GET", "/", {}, {});
    const failed = once(stream, "error").catch(() => undefined);
    await arrived;
    session[Symbol.dispose]();
    await Promise.race([failed, once(stream, "close")]);
    assert.equal(stream.destroyed, true);
    await turns(5);
  });

  it("writes an IPv6 address in brackets", () => {
    assert.equal(new Http2Session({ host: "::1", port: 8080 }).authority, "http://[::1]:8080");
  });

  it("has nothing to close before its first request", () => {
    new Http2Session({ host: "::1", port: 8080 })[Symbol.dispose]();
  });
});
