import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { TLSSocket } from "node:tls";
import { DialError } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import {
  HttpOutbound,
  type HttpOutboundOptions,
  type HttpOutboundTls,
} from "../../../src/proxy/http/http-outbound.js";
import { carriesPackets } from "../../../src/proxy/outbound.js";
import { readAll, readBytes } from "../../helpers/bytes.js";
import { startDestination, type Destination } from "../../helpers/destination.js";
import { endingOf } from "../../helpers/ending.js";
import { basicLogin, connectHead, readHttpAnswer } from "../../helpers/http-client.js";
import { closeAfter, closedPort } from "../../helpers/sockets.js";
import { createTempDir } from "../../helpers/temp-dir.js";
import { tlsFixture } from "../../helpers/tls.js";
import { startTlsFront, type TlsFront } from "../../helpers/tls-front.js";
import { closed, turns } from "../../helpers/timing.js";
import { failOnUnhandled } from "../../helpers/unhandled.js";

const io = { timeout: 10_000 };
const destination: Endpoint = { host: "example.com", port: 443 };
const login = { username: "alice", password: "zqxjkvbw" };
const established = "HTTP/1.1 200 Connection established\r\n\r\n";

/** A proxy that a test plays, and an outbound that leaves through it. */
interface Upstream {
  readonly proxy: Destination;
  readonly outbound: HttpOutbound;
  /** What messages about `destination` begin with. */
  readonly what: string;
}

async function startUpstream(t: TestContext, options: Partial<HttpOutboundOptions> = {}): Promise<Upstream> {
  const proxy = await startDestination(t);
  const { endpoint } = proxy;
  const what = `connect to example.com:443 through HTTP proxy 127.0.0.1:${endpoint.port}`;
  return { proxy, outbound: new HttpOutbound({ tag: "out", server: endpoint, ...options }), what };
}

describe("HttpOutbound", () => {
  failOnUnhandled();

  it("has its tag, blocks nothing, and has no way for packets", () => {
    const outbound = new HttpOutbound({ tag: "out", server: destination });
    assert.deepEqual([outbound.tag, outbound.blocks, carriesPackets(outbound)], ["out", false, false]);
  });

  const targets: readonly (readonly [host: string, target: string])[] = [
    ["example.com", "example.com:443"],
    ["192.0.2.7", "192.0.2.7:443"],
    ["2001:db8::7", "[2001:db8::7]:443"],
    ["bücher.example", "xn--bcher-kva.example:443"],
  ];
  for (const [host, target] of targets) {
    it(`asks the proxy for ${target}, and knows its own end of the connection`, io, async (t) => {
      const { proxy, outbound } = await startUpstream(t);
      const dialled = outbound.dial({ host, port: 443 });
      const peer = await proxy.accept();
      assert.equal((await readHttpAnswer(peer)).head, connectHead(target));
      peer.write(established);
      const { connection, boundTo } = await dialled;
      closeAfter(t, connection);
      assert.deepEqual(boundTo, { host: "127.0.0.1", port: peer.remotePort });
    });
  }

  it("logs in where it has a login", io, async (t) => {
    const { proxy, outbound } = await startUpstream(t, { login });
    const dialled = outbound.dial(destination);
    const peer = await proxy.accept();
    assert.equal((await readHttpAnswer(peer)).head, connectHead("example.com:443", basicLogin(login)));
    peer.write(established);
    closeAfter(t, (await dialled).connection);
  });

  it("opens connections that can be half closed, from either end", io, async (t) => {
    for (const first of ["proxy", "client"] as const) {
      const { proxy, outbound } = await startUpstream(t);
      const dialled = outbound.dial(destination);
      const peer = await proxy.accept();
      await readHttpAnswer(peer);
      peer.write(established);
      const { connection } = await dialled;
      closeAfter(t, connection);
      const [early, late] = first === "proxy" ? [peer, connection] : [connection, peer];
      early.end("early");
      assert.equal((await readAll(late)).toString(), "early");
      late.end("late");
      assert.equal((await readAll(early)).toString(), "late");
    }
  });

  it("leaves to be read what comes right behind the answer, and its end", io, async (t) => {
    const { proxy, outbound } = await startUpstream(t);
    const dialled = outbound.dial(destination);
    const peer = await proxy.accept();
    await readHttpAnswer(peer);
    peer.end(`${established}payload`);
    const { connection } = await dialled;
    closeAfter(t, connection);
    assert.equal((await readAll(connection)).toString(), "payload");
  });

  it("resolves the proxy's name, and no other", io, async (t) => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const proxy = await startDestination(t);
    const server = { host: "proxy.test", port: proxy.endpoint.port };
    const dialled = new HttpOutbound({ tag: "out", server, lookup }).dial(destination);
    const peer = await proxy.accept();
    await readHttpAnswer(peer);
    peer.write(established);
    closeAfter(t, (await dialled).connection);
    assert.deepEqual(asked, ["proxy.test"]);
  });

  it("fails where the proxy cannot be reached", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const reason = `connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
    const message = `connect to example.com:443 through HTTP proxy 127.0.0.1:${port}: ${reason}`;
    const outbound = new HttpOutbound({ tag: "out", server: { host: "127.0.0.1", port } });
    await assert.rejects(outbound.dial(destination), new DialError("failed", message));
  });

  const answers = [
    ["HTTP/1.1 403 Forbidden\r\n\r\n", "blocked", "it answers 403"],
    ["HTTP/1.1 504 Gateway Timeout\r\n\r\n", "timeout", "it answers 504"],
    ["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", "failed", "it answers 502"],
    ["HTTP/1.1 407 No\r\n\r\n", "failed", "it refuses our login (407): it wants one, and there is none"],
    ["\u0005\u00ff", "failed", "it does not answer in HTTP: Parse Error: Expected HTTP/, RTSP/ or ICE/"],
    ["", "failed", "connection closed before its answer"],
  ] as const;
  for (const [answer, code, reason] of answers) {
    it(`fails with ${JSON.stringify(answer.slice(0, 12))}, and closes`, io, async (t) => {
      const { proxy, outbound, what } = await startUpstream(t);
      const dialled = outbound.dial(destination);
      dialled.catch(() => undefined);
      const peer = await proxy.accept();
      await readHttpAnswer(peer);
      peer.end(answer, "latin1");
      await assert.rejects(dialled, new DialError(code, `${what}: ${reason}`));
      await closed(peer.resume());
    });
  }

  it("gives a proxy that says nothing no more than its time", io, async (t) => {
    for (const tls of [undefined, {}]) {
      const { proxy, outbound, what } = await startUpstream(t, { connectTimeoutMs: 50, tls });
      const dialled = outbound.dial(destination);
      dialled.catch(() => undefined);
      const peer = await proxy.accept();
      const ending = endingOf(peer.resume());
      await assert.rejects(dialled, new DialError("timeout", `${what}: no answer within 50 ms`));
      assert.equal(await ending, "reset");
    }
  });

  it("stops when it is given up in the handshake, and resets the connection to the proxy", io, async (t) => {
    const { proxy, outbound, what } = await startUpstream(t);
    const giveUp = new AbortController();
    const dialled = outbound.dial(destination, { signal: giveUp.signal });
    dialled.catch(() => undefined);
    const peer = await proxy.accept();
    await readHttpAnswer(peer);
    const ending = endingOf(peer.resume());
    giveUp.abort();
    await assert.rejects(dialled, new DialError("aborted", `${what}: given up`));
    assert.equal(await ending, "reset");
  });

  it("dials nobody for a name that HTTP cannot write", io, async (t) => {
    const { proxy, outbound } = await startUpstream(t);
    const dialled = outbound.dial({ host: "a/b", port: 1 });
    const message = /^connect to a\/b:1 through HTTP proxy .*: HTTP has no way to write that name$/;
    await assert.rejects(dialled, { name: "DialError", code: "failed", message });
    await turns(5);
    assert.equal(proxy.acceptedCount, 0);
  });
});

describe("HttpOutbound with TLS", () => {
  failOnUnhandled();

  /** A proxy behind TLS, and an outbound that leaves through it. */
  async function startSecured(
    t: TestContext,
    tls: HttpOutboundTls,
    host = "127.0.0.1",
  ): Promise<Upstream & { readonly front: TlsFront }> {
    const proxy = await startDestination(t);
    const front = await startTlsFront(t, proxy.endpoint);
    const server = { host, port: front.endpoint.port };
    const lookup = async () => Promise.resolve(["127.0.0.1"]);
    const outbound = new HttpOutbound({ tag: "out", server, login, tls, lookup });
    await outbound.start();
    return {
      proxy,
      front,
      outbound,
      what: `connect to example.com:443 through HTTP proxy ${host}:${server.port}`,
    };
  }

  function certificatePath(t: TestContext): string {
    return createTempDir(t).write("ca.pem", tlsFixture.cert);
  }

  const whom: readonly (readonly [
    title: string,
    host: string,
    tls: HttpOutboundTls,
    isTrusting: boolean,
    told: string | false,
  ])[] = [
    ["the name by which it is dialled", "localhost", {}, true, "localhost"],
    ["the IP address by which it is dialled, which it is not told", "127.0.0.1", {}, true, false],
    ["the name that is configured", "127.0.0.1", { serverName: "localhost" }, true, "localhost"],
    ["the IP address that is configured", "proxy.test", { serverName: "127.0.0.1" }, true, false],
    ["anybody", "proxy.test", { insecure: true }, false, "proxy.test"],
  ];
  for (const [title, host, tls, isTrusting, told] of whom) {
    it(`takes the certificate of ${title}`, io, async (t) => {
      const path = isTrusting ? certificatePath(t) : undefined;
      const { proxy, front, outbound } = await startSecured(t, { ...tls, certificatePath: path }, host);
      const dialled = outbound.dial(destination);
      const peer = await proxy.accept();
      assert.equal((await readHttpAnswer(peer)).head, connectHead("example.com:443", basicLogin(login)));
      peer.write(`${established}payload`);
      const { connection, boundTo } = await dialled;
      closeAfter(t, connection);
      assert.ok(connection instanceof TLSSocket);
      assert.equal((await readBytes(connection, 7)).toString(), "payload");
      assert.equal(boundTo.host, "127.0.0.1");
      assert.deepEqual(front.names, [told]);
    });
  }

  const distrusted: readonly (readonly [title: string, tls: HttpOutboundTls, isTrusting: boolean])[] = [
    ["that nobody vouches for", { serverName: "localhost" }, false],
    ["for another name", { serverName: "other.example" }, true],
    ["for another name than it is dialled by", {}, true],
  ];
  for (const [title, tls, isTrusting] of distrusted) {
    it(`fails with a certificate ${title}, before it says anything`, io, async (t) => {
      const path = isTrusting ? certificatePath(t) : undefined;
      const { proxy, outbound, what } = await startSecured(
        t,
        { ...tls, certificatePath: path },
        "proxy.test",
      );
      await assert.rejects(outbound.dial(destination), ({ name, message }: Error) => {
        assert.equal(name, "DialError");
        assert.ok(message.startsWith(`${what}: its certificate is not trusted: `), message);
        return true;
      });
      await turns(5);
      assert.equal(proxy.acceptedCount, 0);
    });
  }

  it("fails with a proxy that speaks no TLS", io, async (t) => {
    const { proxy, outbound, what } = await startUpstream(t, { tls: {} });
    const dialled = outbound.dial(destination);
    dialled.catch(() => undefined);
    const peer = await proxy.accept();
    peer.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    await assert.rejects(dialled, ({ message }: Error) =>
      message.startsWith(`${what}: TLS handshake failed: `),
    );
    await closed(peer.resume());
  });

  it("half closes, from either end", io, async (t) => {
    for (const first of ["proxy", "client"] as const) {
      const { proxy, outbound } = await startSecured(t, { insecure: true });
      const dialled = outbound.dial(destination);
      const peer = await proxy.accept();
      await readHttpAnswer(peer);
      peer.write(established);
      const { connection } = await dialled;
      closeAfter(t, connection);
      const [early, late] = first === "proxy" ? [peer, connection] : [connection, peer];
      early.end("early");
      assert.equal((await readAll(late)).toString(), "early");
      late.end("late");
      assert.equal((await readAll(early)).toString(), "late");
    }
  });

  it("does not start without the certificates that it is to trust", async (t) => {
    const path = createTempDir(t).join("ca.pem");
    const tls = { certificatePath: path };
    const outbound = new HttpOutbound({ tag: "out", server: destination, tls });
    await assert.rejects(outbound.start(), /cannot read certificates from .*ca\.pem.*ENOENT/);
  });

  it("has nothing to start without them", async () => {
    await new HttpOutbound({ tag: "out", server: destination }).start();
    await new HttpOutbound({ tag: "out", server: destination, tls: {} }).start();
  });
});
