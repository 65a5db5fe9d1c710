import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer as createPlainServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { startTls, type TlsClientOptions } from "../../src/net/tls-client.js";
import { resetConnection } from "../../src/net/reset.js";
import { readAll, readBytes } from "../helpers/bytes.js";
import { endingOf } from "../helpers/ending.js";
import { closeAfter, listen } from "../helpers/sockets.js";
import { tlsFixture } from "../helpers/tls.js";
import { closed, turns } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };
const trusting: TlsClientOptions = { serverName: "localhost", ca: tlsFixture.cert };

/** A server of TLS, and a connection to it that is still in the clear. */
interface TlsServer {
  readonly socket: Socket;
  /** The server's end, when the handshake is over. */
  readonly accepted: Promise<TLSSocket>;
  /** The connection under it. */
  readonly carrier: Promise<Socket>;
}

async function startServer(t: TestContext, options: TlsOptions = {}): Promise<TlsServer> {
  const server = createServer({ ...tlsFixture, allowHalfOpen: true, ...options });
  const { port } = await listen(t, server);
  const carrier = new Promise<Socket>((resolve) => {
    server.once("connection", (socket: Socket) => {
      closeAfter(t, socket);
      socket.on("error", ignore);
      resolve(socket);
    });
  });
  const accepted = new Promise<TLSSocket>((resolve) => {
    server.once("secureConnection", (socket) => {
      closeAfter(t, socket);
      socket.on("error", ignore);
      resolve(socket);
    });
  });
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.on("error", ignore);
  closeAfter(t, socket);
  await once(socket, "connect");
  return { socket, accepted, carrier };
}

/** Both ends of a connection, once TLS is spoken on it. */
async function startPair(t: TestContext) {
  const { socket, accepted, carrier } = await startServer(t);
  const client = await startTls(socket, trusting);
  closeAfter(t, client);
  return { client, server: await accepted, carrier: await carrier };
}

describe("startTls", () => {
  failOnUnhandled();

  it("speaks TLS in both directions", io, async (t) => {
    const { client, server } = await startPair(t);
    client.write("question");
    assert.equal((await readBytes(server, 8)).toString(), "question");
    server.write("answer");
    assert.equal((await readBytes(client, 6)).toString(), "answer");
    assert.equal(client.authorized, true);
  });

  it("lets either end finish before the other", io, async (t) => {
    for (const first of ["client", "server"] as const) {
      const { client, server } = await startPair(t);
      const [early, late] = first === "client" ? [client, server] : [server, client];
      early.end("early");
      assert.equal((await readAll(late)).toString(), "early");
      late.end("late");
      assert.equal((await readAll(early)).toString(), "late");
    }
  });

  it("passes a reset on to the server", io, async (t) => {
    const { client, server } = await startPair(t);
    // Whatever is under way meanwhile would be a reason for a reset of its own.
    client.write("!");
    await readBytes(server, 1);
    server.write("?");
    await readBytes(client, 1);
    const ending = endingOf(server.resume());
    resetConnection(client);
    assert.equal(await ending, "reset");
    await closed(client);
  });

  it("sees a reset by the server as one", io, async (t) => {
    const { client, carrier } = await startPair(t);
    const ending = endingOf(client.resume());
    carrier.resetAndDestroy();
    assert.equal(await ending, "reset");
    await closed(client);
  });

  it("closes where it is reset after its own end", io, async (t) => {
    // It is sent somewhere in between, and must not be disturbed by that.
    for (let waits = 0; waits < 40; waits++) {
      const { client, server } = await startPair(t);
      client.resume().end("all there is");
      await turns(waits % 10);
      resetConnection(client);
      await closed(client);
      server.resume().destroy();
    }
  });

  it("tells the server the name that it is to be", io, async (t) => {
    const { socket, accepted } = await startServer(t);
    closeAfter(t, await startTls(socket, trusting));
    assert.equal((await accepted).servername, "localhost");
  });

  it("tells the server no IP address, and checks the certificate for it", io, async (t) => {
    for (const serverName of ["127.0.0.1", "::1"]) {
      const { socket, accepted } = await startServer(t);
      const client = await startTls(socket, { ...trusting, serverName });
      closeAfter(t, client);
      assert.equal((await accepted).servername, false);
      assert.equal(client.authorized, true);
    }
  });

  it("takes any certificate where it may", io, async (t) => {
    for (const serverName of ["other.example", "192.0.2.1"]) {
      const { socket, accepted } = await startServer(t);
      const client = await startTls(socket, { serverName, insecure: true });
      closeAfter(t, client);
      await accepted;
      assert.equal(client.authorized, false);
    }
  });

  const distrusted: readonly (readonly [title: string, options: TlsClientOptions, reason: RegExp])[] = [
    ["that nobody vouches for", { serverName: "localhost" }, /self-signed certificate/],
    ["for another name", { ...trusting, serverName: "other.example" }, /other\.example/],
    ["for another IP address", { ...trusting, serverName: "192.0.2.1" }, /192\.0\.2\.1/],
  ];
  for (const [title, options, reason] of distrusted) {
    it(`fails with a certificate ${title}, and says so`, io, async (t) => {
      const { socket } = await startServer(t);
      await assert.rejects(startTls(socket, options), ({ name, message, cause }: Error) => {
        assert.equal(name, "DialError");
        assert.match(message, /^its certificate is not trusted: /);
        assert.match(message, reason);
        return cause instanceof Error;
      });
      await closed(socket);
    });
  }

  const answers: readonly (readonly [title: string, answer: string])[] = [
    ["speaks HTTP in the clear", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["speaks SOCKS", "\u0005\u00ff"],
    ["breaks TLS off", "\u0015\u0003\u0003\u0000\u0002\u0002\u0028"],
  ];
  for (const [title, answer] of answers) {
    it(`fails with a server that ${title}, and says so in one short line`, io, async (t) => {
      const { socket, carrier } = await startPlainServer(t);
      const secured = startTls(socket, trusting);
      (await carrier).end(answer, "latin1");
      // Without a colon, of which OpenSSL's own lines are full, and without a line's end.
      await assert.rejects(secured, { code: "failed", message: /^TLS handshake failed: [\w/ -]+$/ });
      await closed(socket);
    });
  }

  it("keeps to one line where an error has several", io, async (t) => {
    const { socket } = await startPlainServer(t);
    const secured = startTls(socket, trusting);
    await turns(2);
    socket.destroy(new Error("broken\r\nin two"));
    await assert.rejects(secured, { code: "failed", message: "TLS handshake failed: broken" });
  });

  it("fails with a server that ends", io, async (t) => {
    const { socket, carrier } = await startPlainServer(t);
    const secured = startTls(socket, trusting);
    (await carrier).end();
    await assert.rejects(secured, { code: "failed", message: /^TLS handshake failed: .*disconnected/ });
    await closed(socket);
  });

  it("fails where its socket is destroyed meanwhile", io, async (t) => {
    const { socket } = await startPlainServer(t);
    const secured = startTls(socket, trusting);
    await turns(2);
    socket.destroy();
    await assert.rejects(secured, { name: "DialError", code: "failed" });
  });

  it("survives a reset that nobody listens to", io, async (t) => {
    const { client, carrier } = await startPair(t);
    carrier.resetAndDestroy();
    await new Promise((resolve) => client.once("close", resolve));
    assert.equal(client.destroyed, true);
  });
});

/** A server that a test plays by hand, and a connection to it. */
async function startPlainServer(t: TestContext): Promise<Pick<TlsServer, "socket" | "carrier">> {
  const server = createPlainServer({ allowHalfOpen: true });
  const { port } = await listen(t, server);
  const carrier = new Promise<Socket>((resolve) => {
    server.once("connection", (socket) => {
      closeAfter(t, socket);
      socket.on("error", ignore);
      resolve(socket.resume());
    });
  });
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", ignore);
  closeAfter(t, socket);
  await once(socket, "connect");
  return { socket, carrier };
}

function ignore(): void {
  // The close that follows is what counts.
}
