import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { TcpListener } from "../../src/net/tcp-listener.js";
import type { TlsServerOptions } from "../../src/net/tls-server-options.js";
import { TlsServer, type TlsServerSurroundings } from "../../src/net/tls-server.js";
import { readAll } from "../helpers/bytes.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { fixtureTls } from "../helpers/tls-port.js";
import {
  clientAuthority,
  clientFixture,
  otherTlsFixture,
  strangerFixture,
  tlsFixture,
} from "../helpers/tls.js";
import { closed, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };

interface Started {
  readonly port: number;
  readonly server: TlsServer;
  readonly listener: TcpListener;
  readonly logger: RecordingLogger;
  /** The connections that were secured, in order. */
  readonly secured: TLSSocket[];
  /** Why others were not. */
  readonly failures: string[];
}

interface Serving {
  /** Default: says `hello`, and echoes. */
  readonly onSecured?: (connection: TLSSocket) => void;
}

function greetAndEcho(connection: TLSSocket): void {
  connection.write("hello");
  connection.pipe(connection);
}

/** A server that speaks TLS. */
async function start(
  t: TestContext,
  options: Partial<TlsServerOptions> = {},
  { onSecured = greetAndEcho, ...surroundings }: Partial<TlsServerSurroundings> & Serving = {},
): Promise<Started> {
  const logger = new RecordingLogger();
  const server = new TlsServer(
    { ...fixtureTls, ...options },
    { protocols: ["h2", "http/1.1"], handshakeTimeoutMs: 1_000_000, logger, ...surroundings },
  );
  await server.start();
  t.after(() => {
    server.stop();
  });
  const secured: TLSSocket[] = [];
  const failures: string[] = [];
  const serve = async (socket: Socket): Promise<void> => {
    try {
      const connection = await server.secure(socket);
      secured.push(connection);
      onSecured(connection);
    } catch (error) {
      failures.push((error as Error).message);
    }
  };
  const listener = new TcpListener({ onConnection: (socket) => void serve(socket) });
  closeAfter(t, listener);
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  return { port, server, listener, logger, secured, failures };
}

/** A client that trusts the server, and has been greeted. */
async function greeted(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const client = connectTls({ port, host: "127.0.0.1", ca: tlsFixture.cert, ...options });
  closeAfter(t, client);
  await once(client, "data");
  return client;
}

/** How a client fares: `served`, the code of what went wrong, or `closed`, without a word. */
async function outcome(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<string> {
  const client = connectTls({ port, host: "127.0.0.1", ca: tlsFixture.cert, ...options });
  closeAfter(t, client);
  return new Promise((resolve) => {
    client.on("data", () => {
      resolve("served");
    });
    client.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? String(error));
    });
    client.on("close", () => {
      resolve("closed");
    });
  });
}

describe("TlsServer", io, () => {
  it("speaks TLS on connections that were accepted elsewhere", async (t) => {
    const { port, secured } = await start(t);
    const client = await greeted(t, port);
    assert.equal(client.getPeerX509Certificate()?.subject, "CN=localhost");
    client.write("abc");
    assert.equal(String((await once(client, "data"))[0]), "abc");
    assert.equal(secured[0]?.encrypted, true);
  });

  it("lets one side end before the other, and closes what is below", async (t) => {
    const onSecured = (connection: TLSSocket): void => {
      connection.resume().on("end", () => {
        setImmediate(() => connection.end("late"));
      });
    };
    const { port, listener } = await start(t, {}, { onSecured });
    // Node documents `allowHalfOpen` here, its types lack it.
    const options = { port, host: "127.0.0.1", ca: tlsFixture.cert, allowHalfOpen: true };
    const client = connectTls(options);
    closeAfter(t, client);
    client.end("abc");
    assert.equal((await readAll(client)).toString(), "late");
    await until(() => listener.connectionCount === 0);
  });

  for (const [offered, chosen] of [
    [["http/1.1", "h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [["h2", "x"], "h2"],
    [undefined, false],
  ] as const) {
    it(`agrees on a protocol by ALPN: ${offered?.join() ?? "none"}`, async (t) => {
      const { port, secured } = await start(t);
      const client = await greeted(t, port, offered === undefined ? {} : { ALPNProtocols: [...offered] });
      assert.equal(client.alpnProtocol, chosen);
      assert.equal(secured[0]?.alpnProtocol, chosen);
    });
  }

  it("ends with a client that speaks none of its protocols", async (t) => {
    const { port, failures } = await start(t);
    assert.match(await outcome(t, port, { ALPNProtocols: ["x"] }), /ALERT_NO_APPLICATION_PROTOCOL/);
    await until(() => failures.length === 1);
  });

  const versions: readonly (readonly [min: "1.2" | "1.3" | undefined, asked: string, isServed: boolean])[] = [
    [undefined, "TLSv1.1", false],
    [undefined, "TLSv1.2", true],
    [undefined, "TLSv1.3", true],
    ["1.3", "TLSv1.2", false],
    ["1.3", "TLSv1.3", true],
  ];
  for (const [minVersion, asked, isServed] of versions) {
    it(`${isServed ? "speaks" : "refuses"} ${asked} where the least is ${minVersion ?? "not said"}`, async (t) => {
      const { port } = await start(t, minVersion === undefined ? {} : { minVersion });
      const only = asked as "TLSv1.2";
      const options = { minVersion: only, maxVersion: only, ciphers: "DEFAULT:@SECLEVEL=0" };
      assert.equal((await outcome(t, port, options)) === "served", isServed);
    });
  }
});

describe("TlsServer's handshakes", io, () => {
  for (const [what, bytes] of [
    ["says nothing", ""],
    ["says half a hello", "\x16\x03\x01\x02\x00"],
  ] as const) {
    it(`end in time with a client that ${what}`, async (t) => {
      const { port, failures, listener } = await start(t, {}, { handshakeTimeoutMs: 60 });
      const client = connect({ port, host: "127.0.0.1" });
      closeAfter(t, client);
      client.write(bytes, "latin1");
      client.resume();
      await closed(client);
      assert.deepEqual(failures, ["TLS handshake failed: not complete within 60 ms"]);
      await until(() => listener.connectionCount === 0);
    });

    it(`end with a client that ${what} and leaves`, async (t) => {
      const { port, failures, listener } = await start(t);
      for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
        const client = connect({ port, host: "127.0.0.1" });
        closeAfter(t, client);
        client.write(bytes, "latin1");
        await once(client, "connect");
        await until(() => listener.connectionCount === 1);
        client[leave]();
        await until(() => listener.connectionCount === 0);
      }
      assert.equal(failures.length, 3);
    });
  }

  it("end in time with a client that goes on bit by bit", async (t) => {
    const { port, failures } = await start(t, {}, { handshakeTimeoutMs: 100 });
    const client = connect({ port, host: "127.0.0.1" });
    closeAfter(t, client);
    client.on("error", () => undefined).resume();
    client.write("\x16\x03\x01\x02\x00", "latin1");
    const dripping = setInterval(() => client.write("\x01"), 10);
    t.after(() => {
      clearInterval(dripping);
    });
    await closed(client);
    assert.deepEqual(failures, ["TLS handshake failed: not complete within 100 ms"]);
  });

  for (const [what, text] of [
    ["HTTP/1.1", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["nothing that makes sense", "x".repeat(1_000)],
  ] as const) {
    it(`end at once with a client that speaks ${what}, of which the log hears nothing`, async (t) => {
      const { port, failures, logger } = await start(t);
      const client = connect({ port, host: "127.0.0.1" });
      closeAfter(t, client);
      client.write(text);
      client.resume();
      await closed(client);
      assert.equal(failures.length, 1);
      assert.match(failures[0] ?? "", /^TLS handshake failed: (http request|wrong version number|[a-z ]+)$/);
      assert.deepEqual(logger.lines, []);
    });
  }

  it("end with a connection that is gone when they begin", async (t) => {
    const { server } = await start(t);
    const client = connect({ port: 1, host: "127.0.0.1" }).on("error", () => undefined);
    await closed(client);
    await assert.rejects(server.secure(client), /^Error: TLS handshake failed: /);
  });

  it("are many at once, each on its own connection", async (t) => {
    const { port, secured } = await start(t);
    const clients = await Promise.all(Array.from({ length: 30 }, async () => greeted(t, port)));
    const portsOf = (sockets: readonly TLSSocket[], key: "localPort" | "remotePort"): unknown[] =>
      sockets.map((socket) => socket[key]).sort();
    assert.deepEqual(portsOf(secured, "remotePort"), portsOf(clients, "localPort"));
  });
});

describe("TlsServer's clients", io, () => {
  const right = clientFixture;
  const stranger = strangerFixture;
  const served = "served";
  const cases: readonly (readonly [
    NonNullable<TlsServerOptions["clientAuthentication"]>,
    outcomes: readonly [none: boolean, stranger: boolean, right: boolean],
  ])[] = [
    ["no", [true, true, true]],
    ["request", [true, true, true]],
    ["require-any", [false, true, true]],
    ["verify-if-given", [true, false, true]],
    ["require-and-verify", [false, false, true]],
  ];
  for (const [clientAuthentication, [none, strange, known]] of cases) {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      it(`are let in by their certificates: ${clientAuthentication}, ${maxVersion}`, async (t) => {
        const { port } = await start(t, {
          clientAuthentication,
          clientCertificates: [{ pem: clientAuthority }],
        });
        const isServed = async (options: ConnectionOptions): Promise<boolean> =>
          (await outcome(t, port, { maxVersion, ...options })) === served;
        assert.deepEqual(
          [await isServed({}), await isServed(stranger), await isServed(right)],
          [none, strange, known],
        );
      });
    }
  }

  it("are not let in by the session of somebody who was not", async (t) => {
    const { port, secured } = await start(t, {
      clientAuthentication: "require-and-verify",
      clientCertificates: [{ pem: clientAuthority }],
    });
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const sessions: Buffer[] = [];
      const client = connectTls({ port, host: "127.0.0.1", ca: tlsFixture.cert, maxVersion, ...stranger });
      closeAfter(t, client);
      client.on("session", (session) => sessions.push(session));
      await closed(client.resume());
      for (const session of sessions) {
        for (const identity of [{}, stranger]) {
          assert.notEqual(await outcome(t, port, { maxVersion, session, ...identity }), served);
        }
      }
    }
    assert.equal(secured.length, 0);
  });
});

describe("TlsServer's certificate", io, () => {
  it("is read again when its files change, for connections from then on", async (t) => {
    const folder = createTempDir(t);
    const write = ({ cert, key }: typeof tlsFixture | typeof otherTlsFixture): TlsServerOptions => ({
      certificate: { path: folder.write("cert.pem", cert) },
      key: { path: folder.write("key.pem", key) },
    });
    const { port, logger } = await start(t, write(tlsFixture), { settleMs: 20 });
    const old = await greeted(t, port);
    write(otherTlsFixture);
    await until(() => logger.messages("info").length > 0);
    assert.deepEqual(logger.lines, [
      {
        level: "info",
        message: "the certificate has changed: connections from now on are with the new one",
        fields: { files: `${folder.join("cert.pem")}, ${folder.join("key.pem")}` },
      },
    ]);
    assert.match(await outcome(t, port), /SELF_SIGNED/);
    assert.equal(await outcome(t, port, { ca: otherTlsFixture.cert }), "served");
    old.write("still");
    assert.equal(String((await once(old, "data"))[0]), "still");
  });

  it("stays as it is where the new one cannot be used, which is said once", async (t) => {
    const folder = createTempDir(t);
    const certificate = folder.write("cert.pem", tlsFixture.cert);
    const key = folder.write("key.pem", tlsFixture.key);
    const { port, server, logger } = await start(t, {
      certificate: { path: certificate },
      key: { path: key },
    });
    folder.write("cert.pem", otherTlsFixture.cert);
    await server.refresh();
    await server.refresh();
    assert.deepEqual(logger.lines, [
      {
        level: "warn",
        message: "the new certificate cannot be used, the old one goes on",
        fields: { error: `${JSON.stringify(key)} is not that of ${JSON.stringify(certificate)}` },
      },
    ]);
    assert.equal(await outcome(t, port), "served");
    rmSync(certificate);
    await server.refresh();
    assert.match(JSON.stringify(logger.lines[1]?.fields), /cert\.pem\\": ENOENT/);
    assert.equal(await outcome(t, port), "served");
    // The other half comes: it can be used, and what is wrong next is said again.
    folder.write("cert.pem", otherTlsFixture.cert);
    folder.write("key.pem", otherTlsFixture.key);
    await server.refresh();
    assert.equal(await outcome(t, port, { ca: otherTlsFixture.cert }), "served");
    folder.write("key.pem", tlsFixture.key);
    await server.refresh();
    assert.deepEqual(
      logger.lines.map(({ level }) => level),
      ["warn", "warn", "info", "warn"],
    );
  });

  it("may change together with the authorities of clients", async (t) => {
    const folder = createTempDir(t);
    const path = folder.write("ca.pem", clientAuthority);
    const { port, server } = await start(t, {
      clientAuthentication: "require-and-verify",
      clientCertificates: [{ path }],
    });
    assert.equal(await outcome(t, port, clientFixture), "served");
    folder.write("ca.pem", strangerFixture.cert);
    await server.refresh();
    assert.equal(await outcome(t, port, strangerFixture), "served");
    assert.notEqual(await outcome(t, port, clientFixture), "served");
  });

  it("says what is wrong with it at the start", async () => {
    const server = new TlsServer(
      { ...fixtureTls, key: { path: "/nowhere/key.pem" } },
      { protocols: [], handshakeTimeoutMs: 1 },
    );
    await assert.rejects(server.start(), {
      message: /^tls: cannot read a private key from "\/nowhere\/key\.pem": ENOENT/,
    });
    server.stop();
  });
});
