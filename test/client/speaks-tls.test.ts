import assert from "node:assert/strict";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, it } from "node:test";
import { speaksTls } from "../../src/client/speaks-tls.js";
import { closeAfter, closedPort, listen } from "../helpers/sockets.js";
import { tlsFixture } from "../helpers/tls.js";

const io = { timeout: 10_000 };

describe("speaksTls", () => {
  it("is true of a TLS server, whatever its certificate is for", io, async (t) => {
    const { port } = await listen(t, createTlsServer(tlsFixture));
    assert.equal(await speaksTls({ host: "127.0.0.1", port }, 5_000), true);
  });

  it("is true of a TLS server that has another protocol than HTTP/2", io, async (t) => {
    const { port } = await listen(t, createTlsServer({ ...tlsFixture, ALPNProtocols: ["http/1.1"] }));
    assert.equal(await speaksTls({ host: "127.0.0.1", port }, 5_000), true);
  });

  it("tells the server the name by which it is called, and no address", io, async (t) => {
    const names: string[] = [];
    const SNICallback = (name: string, done: (error: null) => void): void => {
      names.push(name);
      done(null);
    };
    const { port } = await listen(t, createTlsServer({ ...tlsFixture, SNICallback }));
    for (const host of ["localhost", "127.0.0.1"]) assert.equal(await speaksTls({ host, port }, 5_000), true);
    assert.deepEqual(names, ["localhost"]);
  });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`is true of a server that wants a certificate of its clients, in ${maxVersion}`, io, async (t) => {
      const options = { ...tlsFixture, requestCert: true, rejectUnauthorized: true, maxVersion };
      const { port } = await listen(t, createTlsServer(options));
      assert.equal(await speaksTls({ host: "127.0.0.1", port }, 5_000), true);
    });
  }

  for (const [name, number] of Object.entries({
    handshake_failure: 40,
    protocol_version: 70,
    internal_error: 80,
    unrecognized_name: 112,
    certificate_required: 116,
    no_application_protocol: 120,
  })) {
    it(`is true of a server that refuses with the alert ${name}`, io, async (t) => {
      const server = createServer((socket) => {
        closeAfter(t, socket);
        // Type alert, TLS 1.2, two bytes: fatal, and which.
        socket.end(Buffer.of(21, 3, 3, 0, 2, 2, number));
      });
      const { port } = await listen(t, server);
      assert.equal(await speaksTls({ host: "127.0.0.1", port }, 5_000), true);
    });
  }

  it("is false of a server that answers something else", io, async (t) => {
    const server = createServer((socket) => {
      closeAfter(t, socket);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const { port } = await listen(t, server);
    assert.equal(await speaksTls({ host: "127.0.0.1", port }, 5_000), false);
  });

  it("is false of a server that says nothing in time", io, async (t) => {
    const server = createServer((socket) => {
      closeAfter(t, socket);
    });
    const { port } = await listen(t, server);
    assert.equal(await speaksTls({ host: "127.0.0.1", port }, 50), false);
  });

  it("is false where nobody listens", io, async (t) => {
    closeAfter(t);
    assert.equal(await speaksTls({ host: "127.0.0.1", port: await closedPort() }, 5_000), false);
  });
});
