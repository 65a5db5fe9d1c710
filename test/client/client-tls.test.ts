import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { TlsOptions } from "node:tls";
import { assertIdentity, type ClientTls } from "../../src/client/client-tls.js";
import type { ServerAddress } from "../../src/client/server-address.js";
import { StatsClient } from "../../src/client/stats-client.js";
import { readSysStats } from "../../src/client/sys-stats.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { closeAfter, listen } from "../helpers/sockets.js";
import { certificates, leafKey, testAuthority } from "../helpers/tls-authority.js";
import { startTlsFront, type TlsFront } from "../helpers/tls-front.js";
import { startUnixFront } from "../helpers/unix-front.js";
import { failOnUnhandled } from "../helpers/unhandled.js";
import { tlsFixture } from "../helpers/tls.js";

const io = { timeout: 20_000 };
const timeoutMs = 15_000;

const trusting: ClientTls = { ca: testAuthority };
const identity = { cert: certificates.client, key: leafKey };
/** What makes a server want a certificate of its clients. */
const mutual: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: testAuthority };

/** A server of the family behind TLS, with HTTP/2 over it unless told otherwise. */
async function start(t: TestContext, options: TlsOptions = {}): Promise<TlsFront> {
  const { server } = await startFamilyServer(t, "V2Ray 5");
  return startTlsFront(t, server, {
    ...{ cert: certificates.server, key: leafKey, ALPNProtocols: ["h2"] },
    ...options,
  });
}

async function uptime(server: ServerAddress, tls: ClientTls): Promise<number> {
  using client = new StatsClient(server, { timeoutMs, tls });
  return (await readSysStats(client)).Uptime;
}

async function assertFails(server: ServerAddress, tls: ClientTls, message: RegExp): Promise<void> {
  using client = new StatsClient(server, { timeoutMs, tls });
  // The second one says the same: what has failed is not used again.
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(readSysStats(client), (error) => {
      assert.ok(error instanceof Error && "code" in error);
      assert.match(error.message, message);
      assert.equal(error.code, "tls");
      return true;
    });
  }
}

describe("StatsClient over TLS", io, () => {
  failOnUnhandled();

  it("calls a server whose authority it trusts", async (t) => {
    const { endpoint, names } = await start(t);
    assert.equal(await uptime(endpoint, trusting), 3_725);
    // An IP address is told to nobody.
    assert.deepEqual(names, [false]);
  });

  it("calls one that is self-signed, if told to trust that one", async (t) => {
    const { endpoint } = await start(t, tlsFixture);
    assert.equal(await uptime(endpoint, { ca: tlsFixture.cert }), 3_725);
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`shows its certificate to a server that wants one, in ${version}`, async (t) => {
      const { endpoint } = await start(t, { ...mutual, minVersion: version, maxVersion: version });
      assert.equal(await uptime(endpoint, { ...trusting, identity }), 3_725);
    });
  }

  for (const { serverName, sni } of [
    { serverName: "api.example", sni: "api.example" },
    { serverName: "localhost", sni: "localhost" },
    { serverName: "127.0.0.1", sni: false },
    { serverName: "::1", sni: false },
    { serverName: "0:0::1", sni: false },
  ]) {
    it(`takes a certificate for ${serverName}, where that is wanted`, async (t) => {
      const { endpoint, names } = await start(t);
      assert.equal(await uptime(endpoint, { ...trusting, serverName }), 3_725);
      assert.deepEqual(names, [sni]);
    });
  }

  it("names the server by its host", async (t) => {
    const { endpoint, names } = await start(t);
    assert.equal(await uptime({ ...endpoint, host: "localhost" }, trusting), 3_725);
    assert.deepEqual(names, ["localhost"]);
  });

  it("goes over a Unix socket as well, to localhost", async (t) => {
    const { endpoint, names } = await start(t);
    const path = await startUnixFront(t, endpoint);
    assert.equal(await uptime({ path }, trusting), 3_725);
    assert.deepEqual(names, ["localhost"]);
  });

  const distrusted: readonly (readonly [
    title: string,
    options: TlsOptions,
    tls: ClientTls,
    reason: string,
  ])[] = [
    ["self-signed", tlsFixture, {}, "it is self-signed"],
    ["of another authority", {}, {}, "it is of an authority that is not trusted"],
    [
      "of another authority than told",
      {},
      { ca: tlsFixture.cert },
      "it is of an authority that is not trusted",
    ],
    ["for another address", { cert: certificates.elsewhere }, trusting, "it is not for 127.0.0.1"],
    ["for another name", {}, { ...trusting, serverName: "b.example" }, "it is not for b.example"],
    ["for another IPv6 address", {}, { ...trusting, serverName: "::2" }, "it is not for ::2"],
    ["expired", { cert: certificates.expired }, trusting, "it has expired"],
    ["not valid yet", { cert: certificates.early }, trusting, "it is not valid yet"],
  ];
  for (const [title, options, tls, reason] of distrusted) {
    it(`does not take a certificate that is ${title}`, async (t) => {
      const { endpoint } = await start(t, options);
      await assertFails(endpoint, tls, new RegExp(`^its certificate is not trusted: ${reason}$`));
    });
  }

  const unsuited: readonly (readonly [
    title: string,
    options: TlsOptions,
    tls: ClientTls,
    message: RegExp,
  ])[] = [
    ["wants a certificate", mutual, trusting, /^it wants a client certificate$/],
    [
      "wants a certificate in TLS 1.2",
      { ...mutual, maxVersion: "TLSv1.2" },
      trusting,
      /^TLS handshake failed: it may want a client certificate$/,
    ],
    [
      "does not trust our certificate",
      { ...mutual, ca: tlsFixture.cert },
      { ...trusting, identity },
      /^it closed the connection after the TLS handshake: it may not trust the client certificate$/,
    ],
    [
      "speaks HTTP/1.1 only",
      { ALPNProtocols: ["http/1.1"] },
      trusting,
      /^it speaks TLS, and no HTTP\/2 over it$/,
    ],
    [
      "agrees on no protocol",
      { ALPNProtocols: undefined },
      trusting,
      /^it speaks TLS, and no HTTP\/2 over it$/,
    ],
    [
      "is too old",
      { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
      trusting,
      /^it speaks no TLS of version 1\.2 or later$/,
    ],
  ];
  for (const [title, options, tls, message] of unsuited) {
    it(`says so of a server that ${title}`, async (t) => {
      const { endpoint } = await start(t, options);
      await assertFails(endpoint, tls, message);
    });
  }

  it("is told by an HTTP/2 server of Node's that it wants a certificate, which its session does not hear", async (t) => {
    const options = { cert: certificates.server, key: leafKey, ...mutual };
    const { port } = await listen(t, createSecureServer(options));
    await assertFails({ host: "127.0.0.1", port }, trusting, /^it wants a client certificate$/);
  });

  it("says so of a server in cleartext", async (t) => {
    const { server } = await startFamilyServer(t, "V2Ray 5");
    await assertFails(server, trusting, /^it does not speak TLS$/);
  });

  it("says so of servers that hang up", async (t) => {
    for (const end of ["destroy", "resetAndDestroy"] as const) {
      const { port } = await listen(
        t,
        createServer((socket) => {
          closeAfter(t, socket);
          socket[end]();
        }),
      );
      await assertFails(
        { host: "127.0.0.1", port },
        trusting,
        /^it closed the connection in the TLS handshake/,
      );
    }
  });

  it("is too late for a server that never answers, in the handshake or after it", async (t) => {
    const silent = createServer((socket) => {
      closeAfter(t, socket);
    });
    const { port } = await listen(t, silent);
    const { endpoint } = await startTlsFront(
      t,
      { host: "127.0.0.1", port },
      {
        ...{ cert: certificates.server, key: leafKey, ALPNProtocols: ["h2"] },
      },
    );
    for (const server of [{ host: "127.0.0.1", port }, endpoint]) {
      using client = new StatsClient(server, { timeoutMs: 300, tls: trusting });
      await assert.rejects(readSysStats(client), { code: "timeout", message: "no answer within 0.3 s" });
    }
  });

  it("tells a web server from one with the service", async (t) => {
    const options = { cert: certificates.server, key: leafKey, ALPNProtocols: ["h2", "http/1.1"] };
    const web = createHttpsServer(options, (_, response) => response.end("hello"));
    const { port } = await listen(t, web);
    t.after(() => {
      web.closeAllConnections();
    });
    using client = new StatsClient({ host: "127.0.0.1", port }, { timeoutMs, tls: trusting });
    await assert.rejects(readSysStats(client), /^ClientError: /);
  });
});

describe("StatsClient over a Unix socket", io, () => {
  failOnUnhandled();

  it("calls a server", async (t) => {
    const { server } = await startFamilyServer(t, "Xray");
    const path = await startUnixFront(t, server);
    using client = new StatsClient({ path }, { timeoutMs });
    assert.equal((await readSysStats(client)).Uptime, 3_725);
  });

  it("says so of a server that speaks something else", async (t) => {
    const web = createHttpServer((_, response) => response.end("hello"));
    t.after(() => {
      web.closeAllConnections();
    });
    const { port } = await listen(t, web);
    const path = await startUnixFront(t, { host: "127.0.0.1", port });
    using client = new StatsClient({ path }, { timeoutMs });
    await assert.rejects(readSysStats(client), { code: "protocol" });
  });
});

describe("assertIdentity", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const otherKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const encryptedKey = privateKey
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p4ss" })
    .toString();

  it("takes a key that is that of the certificate", () => {
    assertIdentity(identity);
  });

  for (const [key, cert, message] of [
    [otherKey, certificates.client, "the key does not match the certificate"],
    [encryptedKey, certificates.client, "the key is encrypted: only one without a passphrase can be read"],
    ["key", certificates.client, "the key is none in PEM"],
    [leafKey, "cert", "the certificate is none in PEM"],
  ] as const) {
    it(`says that ${message}`, () => {
      assert.throws(
        () => {
          assertIdentity({ cert, key });
        },
        { name: "ClientError", code: "credentials", message },
      );
      assert.throws(() => new StatsClient({ path: "x" }, { tls: { identity: { cert, key } } }), { message });
    });
  }
});
