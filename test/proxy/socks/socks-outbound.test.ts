import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { DialError } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { SocksOutbound, type SocksOutboundOptions } from "../../../src/proxy/socks/socks-outbound.js";
import { readAll } from "../../helpers/bytes.js";
import { startDestination, type Destination } from "../../helpers/destination.js";
import { endingOf } from "../../helpers/ending.js";
import { closeAfter, closedPort } from "../../helpers/sockets.js";
import { socks5Login, socks5Request } from "../../helpers/socks5-client.js";
import { hearSocks5, serveSocks5, socks5Reply } from "../../helpers/socks5-upstream.js";
import { closed, turns } from "../../helpers/timing.js";
import { failOnUnhandled } from "../../helpers/unhandled.js";

const io = { timeout: 10_000 };
const destination: Endpoint = { host: "example.com", port: 443 };
const boundTo: Endpoint = { host: "192.0.2.1", port: 1080 };
const login = { username: "alice", password: "zqxjkvbw" };

/** A server that a test plays, and an outbound that leaves through it. */
interface Upstream {
  readonly server: Destination;
  readonly outbound: SocksOutbound;
  /** What messages about `destination` begin with. */
  readonly what: string;
}

async function startUpstream(t: TestContext, options: Partial<SocksOutboundOptions> = {}): Promise<Upstream> {
  const server = await startDestination(t);
  const { endpoint } = server;
  const what = `connect to example.com:443 through SOCKS server 127.0.0.1:${endpoint.port}`;
  return { server, outbound: new SocksOutbound({ tag: "out", server: endpoint, ...options }), what };
}

describe("SocksOutbound", () => {
  failOnUnhandled();

  it("has its tag, and blocks nothing", () => {
    const { tag, blocks } = new SocksOutbound({ tag: "out", server: destination });
    assert.deepEqual({ tag, blocks }, { tag: "out", blocks: false });
  });

  for (const host of ["example.com", "192.0.2.7", "2001:db8::7"]) {
    it(`asks the server for ${host}, and knows where it is bound`, io, async (t) => {
      const { server, outbound } = await startUpstream(t);
      const dialled = outbound.dial({ host, port: 443 });
      const heard = await serveSocks5(await server.accept(), { reply: socks5Reply(0, boundTo) });
      const { connection, boundTo: bound } = await dialled;
      closeAfter(t, connection);
      assert.deepEqual(heard, {
        greeting: "050100",
        request: socks5Request({ host, port: 443 }).toString("hex"),
      });
      assert.deepEqual(bound, boundTo);
    });
  }

  it("logs in where it has a login", io, async (t) => {
    const { server, outbound } = await startUpstream(t, { login });
    const dialled = outbound.dial(destination);
    const heard = await serveSocks5(await server.accept(), { method: 2 });
    closeAfter(t, (await dialled).connection);
    assert.equal(heard.login, socks5Login(login.username, login.password).toString("hex"));
  });

  it("says where we are bound ourselves if the server says it by name", io, async (t) => {
    const { server, outbound } = await startUpstream(t);
    const dialled = outbound.dial(destination);
    const peer = await server.accept();
    await serveSocks5(peer, { reply: socks5Reply(0, { host: "proxy.example", port: 1 }) });
    const { connection, boundTo: bound } = await dialled;
    closeAfter(t, connection);
    assert.deepEqual(bound, { host: "127.0.0.1", port: peer.remotePort });
  });

  it("opens connections that can be half closed, from either end", io, async (t) => {
    for (const first of ["server", "client"] as const) {
      const { server, outbound } = await startUpstream(t);
      const dialled = outbound.dial(destination);
      const peer = await server.accept();
      await serveSocks5(peer);
      const { connection } = await dialled;
      closeAfter(t, connection);
      const [early, late] = first === "server" ? [peer, connection] : [connection, peer];
      early.end("early");
      assert.equal((await readAll(late)).toString(), "early");
      late.end("late");
      assert.equal((await readAll(early)).toString(), "late");
    }
  });

  it("leaves to be read what comes right behind the reply, and its end", io, async (t) => {
    const { server, outbound } = await startUpstream(t);
    const dialled = outbound.dial(destination);
    const peer = await server.accept();
    await hearSocks5(peer);
    peer.end(Buffer.concat([socks5Reply(0), Buffer.from("payload")]));
    const { connection } = await dialled;
    closeAfter(t, connection);
    assert.equal((await readAll(connection)).toString(), "payload");
  });

  it("resolves the server's name, and no other", io, async (t) => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const server = await startDestination(t);
    const proxy = { host: "proxy.test", port: server.endpoint.port };
    const outbound = new SocksOutbound({ tag: "out", server: proxy, lookup });
    const dialled = outbound.dial(destination);
    await serveSocks5(await server.accept());
    closeAfter(t, (await dialled).connection);
    assert.deepEqual(asked, ["proxy.test"]);
  });

  it("fails where the server cannot be reached", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const outbound = new SocksOutbound({ tag: "out", server: { host: "127.0.0.1", port } });
    const reason = `connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
    const message = `connect to example.com:443 through SOCKS server 127.0.0.1:${port}: ${reason}`;
    await assert.rejects(outbound.dial(destination), new DialError("failed", message));

    const unknown = new SocksOutbound({
      tag: "out",
      server: { host: "proxy.test", port: 1 },
      lookup: async () => Promise.reject(new Error("unknown name")),
    });
    await assert.rejects(unknown.dial(destination), { name: "DialError", code: "failed" });
  });

  it("fails as the server replies, and closes", io, async (t) => {
    const { server, outbound, what } = await startUpstream(t);
    const dialled = outbound.dial(destination);
    dialled.catch(() => undefined);
    const peer = await server.accept();
    await serveSocks5(peer, { reply: socks5Reply(2) });
    const message = `${what}: it replies 2 (not allowed by its rules)`;
    await assert.rejects(dialled, new DialError("blocked", message));
    await closed(peer.resume());
  });

  it("fails with a wrong login, and does not tell the password", io, async (t) => {
    const { server, outbound, what } = await startUpstream(t, { login });
    const dialled = outbound.dial(destination);
    dialled.catch(() => undefined);
    void hearSocks5(await server.accept(), { method: 2, loginStatus: 1 }).catch(() => undefined);
    const message = `${what}: it refuses our login: wrong username or password`;
    await assert.rejects(dialled, new DialError("failed", message));
  });

  it("fails with a server that leaves, or that speaks something else", io, async (t) => {
    const answers = [
      ["", "connection closed after 0 bytes of an unfinished message"],
      ["\u0005", "connection closed after 1 bytes of an unfinished message"],
      ["HTTP/1.1 400 Bad Request\r\n\r\n", "it answers in SOCKS version 72, expected 5"],
    ] as const;
    for (const [answer, reason] of answers) {
      const { server, outbound, what } = await startUpstream(t);
      const dialled = outbound.dial(destination);
      dialled.catch(() => undefined);
      const peer = await server.accept();
      peer.end(answer);
      await assert.rejects(dialled, new DialError("failed", `${what}: ${reason}`));
      await closed(peer.resume());
    }
  });

  it("gives a server that says nothing no more than its time", io, async (t) => {
    const { server, outbound, what } = await startUpstream(t, { connectTimeoutMs: 50 });
    const dialled = outbound.dial(destination);
    dialled.catch(() => undefined);
    const ending = endingOf((await server.accept()).resume());
    await assert.rejects(dialled, new DialError("timeout", `${what}: no answer within 50 ms`));
    assert.equal(await ending, "reset");
  });

  it("stops when it is given up in the handshake, and resets the connection to the server", io, async (t) => {
    const { server, outbound, what } = await startUpstream(t);
    const giveUp = new AbortController();
    const dialled = outbound.dial(destination, { signal: giveUp.signal });
    dialled.catch(() => undefined);
    const peer = await server.accept();
    await hearSocks5(peer);
    const ending = endingOf(peer.resume());
    giveUp.abort();
    await assert.rejects(dialled, new DialError("aborted", `${what}: given up`));
    assert.equal(await ending, "reset");
  });

  it("dials nobody for a name that is too long", io, async (t) => {
    const { server, outbound } = await startUpstream(t);
    const dialled = outbound.dial({ host: "n".repeat(256), port: 1 });
    await assert.rejects(dialled, {
      name: "DialError",
      code: "failed",
      message: /^connect to n+:1 through SOCKS server .*: host name of 256 bytes, at most 255 fit$/,
    });
    await turns(5);
    assert.equal(server.acceptedCount, 0);
  });
});
