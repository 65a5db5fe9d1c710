import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { resetConnection } from "../../src/net/reset.js";
import { endingOf } from "../helpers/ending.js";
import { closeAfter, socketPair, tlsPair } from "../helpers/sockets.js";
import { closed, event, failed } from "../helpers/timing.js";

const io = { timeout: 10_000 };

describe("resetConnection", () => {
  it("resets a TCP connection", io, async (t) => {
    const { client, server } = await socketPair(t);
    client.resume();
    const ending = endingOf(client);
    resetConnection(server);
    assert.equal(await ending, "reset");
    await closed(server);
  });

  it("resets at once, whatever is still to be sent", io, async (t) => {
    const { client, server } = await socketPair(t);
    server.write(Buffer.alloc(32 * 1024 * 1024));
    assert.ok(server.writableLength > 0);
    const ending = endingOf(client);
    resetConnection(server);
    assert.equal(server.destroyed, true);
    await closed(server);
    client.resume();
    assert.equal(await ending, "reset");
  });

  it("closes a TCP connection whose end is just being sent", io, async (t) => {
    const { client, server } = await socketPair(t);
    const ending = endingOf(client);
    client.resume();
    let failures = 0;
    server.on("error", () => failures++);
    server.end();
    resetConnection(server);
    await closed(server);
    assert.equal(failures, 0);
    assert.equal(await ending, "end");
  });

  it("resets a TCP connection whose end was sent", io, async (t) => {
    const { client, server } = await socketPair(t);
    client.resume();
    server.end();
    await event(client, "end");
    resetConnection(server);
    await closed(server);
    const failure = failed(client);
    client.write("late");
    assert.match((await failure).code ?? "", /^(ECONNRESET|EPIPE)$/);
  });

  it("closes a TLS connection, which cannot be reset", io, async (t) => {
    const { client, server } = await tlsPair(t);
    client.resume();
    resetConnection(server);
    assert.equal(server.destroyed, true);
    await closed(server);
    client.end();
    await closed(client);
  });

  it("closes a pipe, which cannot be reset", { ...io, skip: process.platform === "win32" }, async (t) => {
    const listener = createServer();
    closeAfter(t, listener);
    const path = join(tmpdir(), `v2ray-api-reset-${process.pid}.sock`);
    const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
    listener.listen(path);
    await event(listener, "listening");
    const client = connect(path);
    closeAfter(t, client);
    const server = await accepted;
    client.resume();
    resetConnection(server);
    await closed(server);
    await closed(client);
  });

  it("destroys what has no way to reset", async () => {
    const [left, right] = createPipe();
    const failure = failed(right);
    resetConnection(left);
    assert.equal(left.destroyed, true);
    assert.equal((await failure).code, "ECONNRESET");
  });

  it("uses a stream's own way to reset", () => {
    let calls = 0;
    const stream = Object.assign(new Duplex({ read: () => undefined }), { resetAndDestroy: () => calls++ });
    resetConnection(stream);
    assert.equal(calls, 1);
    stream.destroy();
  });

  it("does nothing to a closed connection", io, async (t) => {
    const { server } = await socketPair(t);
    server.destroy();
    await closed(server);
    let failures = 0;
    server.on("error", () => failures++);
    resetConnection(server);
    await closed(server);
    assert.equal(failures, 0);
  });
});
