import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { countConnection } from "../../src/net/counting-connection.js";
import { createPipe } from "../../src/net/pipe.js";
import { socketHandleOf } from "../../src/net/socket-handle.js";
import { closeAfter, closedPort, socketPair, tlsPair } from "../helpers/sockets.js";
import { createTallies } from "../helpers/tally.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 10_000 };

describe("socketHandleOf", () => {
  it(
    "finds the handle of accepted and dialled sockets, on every Node that is supported",
    { ...io, skip: process.platform === "win32" },
    async (t) => {
      const { client, server } = await socketPair(t);
      assert.notEqual(socketHandleOf(client), undefined);
      assert.notEqual(socketHandleOf(server), undefined);
    },
  );

  it("finds none in a TLS socket, whose own carries what is not its payload", io, async (t) => {
    const { client, server } = await tlsPair(t);
    assert.equal(socketHandleOf(client), undefined);
    assert.equal(socketHandleOf(server), undefined);
  });

  it("finds none in what somebody else made of a socket", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapped = countConnection(server, createTallies().sinks);
    assert.equal(socketHandleOf(wrapped), undefined);
    class OwnSocket extends Socket {}
    const derived = new OwnSocket();
    derived.on("error", () => undefined).connect(await closedPort(), "127.0.0.1");
    closeAfter(t, derived);
    assert.equal(socketHandleOf(derived), undefined);
  });

  it("finds none in a socket that is closed, or was never connected", io, async (t) => {
    assert.equal(socketHandleOf(new Socket()), undefined);
    const { server } = await socketPair(t);
    server.destroy();
    await closed(server);
    assert.equal(socketHandleOf(server), undefined);
  });

  it("finds none in a stream that is no socket", () => {
    const [left] = createPipe();
    assert.equal(socketHandleOf(left), undefined);
    assert.equal(socketHandleOf(Object.assign(left, { _handle: {} })), undefined);
  });

  it("finds none where a later Node has renamed what is needed", io, async (t) => {
    for (const name of ["useUserBuffer", "readStart"]) {
      const { server } = await socketPair(t);
      assert.notEqual(socketHandleOf(server), undefined);
      Object.assign(socketHandleOf(server) ?? {}, { [name]: undefined });
      assert.equal(socketHandleOf(server), undefined);
    }
  });

  it("finds none where there is none", io, async (t) => {
    const { server } = await socketPair(t);
    const handle: unknown = Reflect.get(server, "_handle");
    Reflect.set(server, "_handle", null);
    assert.equal(socketHandleOf(server), undefined);
    // It is to be closed.
    Reflect.set(server, "_handle", handle);
  });
});
