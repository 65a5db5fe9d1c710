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
