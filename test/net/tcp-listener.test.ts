import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect, Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { LogFields, Logger } from "../../src/log/logger.js";
import { ListenError } from "../../src/net/listen-error.js";
import { TcpListener } from "../../src/net/tcp-listener.js";
import { readAll } from "../helpers/bytes.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { closed, event, failed, turns, until, withTimeout } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const loopback = { host: "127.0.0.1", port: 0 };
const never = new AbortController().signal;

class Lines implements Logger {
  readonly lines: string[] = [];
  debug(message: string, fields?: LogFields): void {
    this.lines.push(`debug ${message} ${String(fields?.["error"])}`);
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

interface Opened {
  readonly listener: TcpListener;
  readonly port: number;
  readonly accepted: Socket[];
  /** Connects, and waits until it is accepted. */
  readonly client: () => Promise<Socket>;
}

async function openListener(t: TestContext, logger?: Logger): Promise<Opened> {
  const accepted: Socket[] = [];
  const listener = new TcpListener({
    onConnection: (socket) => accepted.push(socket),
    ...(logger === undefined ? {} : { logger }),
  });
  closeAfter(t, listener);
  const { port } = await listener.listen(loopback);
  const client = async (): Promise<Socket> => {
    const count = accepted.length + 1;
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    closeAfter(t, socket);
    await event(socket, "connect");
    await until(() => accepted.length >= count);
    return socket;
  };
  return { listener, port, accepted, client };
}

describe("TcpListener", () => {
  it("says where it listens", io, async (t) => {
    const listener = new TcpListener({ onConnection: () => undefined });
    closeAfter(t, listener);
    const endpoint = await listener.listen(loopback);
    assert.equal(endpoint.host, "127.0.0.1");
    assert.ok(endpoint.port > 0);
  });

  it("listens on every address when the host is empty", io, async (t) => {
    const accepted: Socket[] = [];
    const listener = new TcpListener({ onConnection: (socket) => accepted.push(socket) });
    closeAfter(t, listener);
    const { host, port } = await listener.listen({ host: "", port: 0 });
    assert.equal(host, "");
    const client = connect({ port, host: "127.0.0.1" });
    closeAfter(t, client);
    await until(() => accepted.length === 1);
  });

  it("hands over half-open capable sockets that do not delay, and knows them", io, async (t) => {
    const { listener, accepted, client } = await openListener(t);
    assert.equal(listener.connectionCount, 0);
    const [first] = [await client(), await client()];
    const [socket] = accepted;
    assert.equal(listener.connectionCount, 2);
    assert.ok(socket instanceof Socket);
    assert.equal(socket.allowHalfOpen, true);
    // Node has no public word for it.
    const noDelay = Object.getOwnPropertySymbols(socket).find(
      ({ description }) => description === "kSetNoDelay",
    );
    assert.equal(Reflect.get(socket, noDelay ?? "no such symbol"), true);
    assert.equal(socket.readableFlowing, null);
    assert.ok(socket.listenerCount("error") > 0);
    const answer = readAll(first);
    first.end("question");
    assert.equal((await readAll(socket)).toString(), "question");
    await turns(5);
    socket.end("late answer");
    assert.equal((await answer).toString(), "late answer");
    await closed(socket);
    assert.equal(listener.connectionCount, 1);
  });

  it("says that an address is in use", io, async (t) => {
    const { port } = await openListener(t);
    const second = new TcpListener({ onConnection: () => undefined });
    closeAfter(t, second);
    await assert.rejects(second.listen({ host: "127.0.0.1", port }), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.message, `listen 127.0.0.1:${port}: address in use`);
      assert.equal(error.code, "LISTEN_FAILED");
      return true;
    });
    await second.stop(never);
  });

  it("says that an address is not one of this machine", io, async (t) => {
    const listener = new TcpListener({ onConnection: () => undefined });
    closeAfter(t, listener);
    // 192.0.2.0/24 and 2001:db8::/32 are for documentation; 198.51.100.0/24 too, and used by nobody.
    await assert.rejects(listener.listen({ host: "198.51.100.77", port: 0 }), {
      name: "ListenError",
      message: "listen 198.51.100.77:0: address not available on this machine",
    });
  });

  it("survives connections that are reset, and says so at debug only", io, async (t) => {
    const logger = new Lines();
    const { listener, accepted, client } = await openListener(t, logger);
    const socket = await client();
    const failure = closed(accepted[0] ?? socket);
    socket.resetAndDestroy();
    await failure;
    assert.deepEqual(logger.lines, ["debug connection failed read ECONNRESET"]);
    assert.equal(listener.connectionCount, 0);
    await client();
    assert.equal(listener.connectionCount, 1);
  });

  it("stops to accept at once, and waits for the open connections", io, async (t) => {
    const { listener, port, accepted, client } = await openListener(t);
    const open = [await client(), await client()];
    let isStopped = false;
    const stopping = listener.stop(never).then(() => (isStopped = true));
    const late = connect({ port, host: "127.0.0.1" });
    closeAfter(t, late);
    const refusal: unknown = await event(late, "error").catch((error: unknown) => error);
    assert.match(String(refusal), /ECONNREFUSED/);
    assert.equal(listener.connectionCount, 2);
    for (const socket of [...open, ...accepted]) socket.resume();
    open[0]?.end();
    accepted[0]?.end();
    await turns(20);
    assert.equal(isStopped, false);
    assert.equal(listener.connectionCount, 1);
    open[1]?.end();
    accepted[1]?.end();
    await stopping;
    assert.equal(listener.connectionCount, 0);
  });

  it("cuts the connections that are open when it is told to", io, async (t) => {
    const { listener, accepted, client } = await openListener(t);
    const sockets = [await client(), await client()];
    const cut = new AbortController();
    const stopping = listener.stop(cut.signal);
    await turns(10);
    assert.deepEqual(
      accepted.map(({ destroyed }) => destroyed),
      [false, false],
    );
    for (const socket of sockets) socket.resume();
    cut.abort();
    await stopping;
    assert.deepEqual(
      accepted.map(({ destroyed }) => destroyed),
      [true, true],
    );
    assert.equal(listener.connectionCount, 0);
    for (const socket of sockets) {
      socket.end();
      await closed(socket);
    }
  });

  it("cuts at once when it is told so from the start", io, async (t) => {
    const { listener, accepted, client } = await openListener(t);
    await client();
    await withTimeout(listener.stop(AbortSignal.abort()), 2_000, "stop");
    assert.equal(accepted[0]?.destroyed, true);
  });

  it("leaves no listener on the signal", io, async (t) => {
    const { listener } = await openListener(t);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    t.mock.method(signal, "addEventListener", (type: string, handler: () => void) => {
      listeners++;
      add(type, handler);
    });
    t.mock.method(signal, "removeEventListener", (type: string, handler: () => void) => {
      listeners--;
      remove(type, handler);
    });
    await listener.stop(signal);
    assert.equal(listeners, 0);
  });

  it("frees its port when it has stopped", io, async (t) => {
    const { listener, port } = await openListener(t);
    await listener.stop(never);
    const next = new TcpListener({ onConnection: () => undefined });
    closeAfter(t, next);
    assert.deepEqual(await next.listen({ host: "127.0.0.1", port }), { host: "127.0.0.1", port });
  });

  it("can be stopped and disposed of twice, and before it listens", io, async (t) => {
    const { listener, client } = await openListener(t);
    await client();
    await Promise.all([listener[Symbol.asyncDispose](), listener.stop(never)]);
    await listener[Symbol.asyncDispose]();
    await listener.stop(never);
    const idle = new TcpListener({ onConnection: () => undefined });
    await idle.stop(never);
    await idle[Symbol.asyncDispose]();
  });
});

describe("TcpListener with an admission", () => {
  it("resets whom it does not let in, and says nothing of them", io, async (t) => {
    const heard: Socket[] = [];
    const logger = new Lines();
    const asked: string[] = [];
    const listener = new TcpListener({
      onConnection: (socket) => heard.push(socket),
      admit: (address) => void asked.push(address),
      logger,
    });
    closeAfter(t, listener);
    const { port } = await listener.listen(loopback);
    const client = connect({ port, host: "127.0.0.1" });
    closeAfter(t, client);
    assert.equal((await failed(client)).code, "ECONNRESET");
    assert.deepEqual(asked, ["127.0.0.1"]);
    assert.deepEqual([heard.length, listener.connectionCount], [0, 0]);
    assert.deepEqual(logger.lines, []);
  });

  it("tells an IPv4 client by its IPv4 address where it listens for both families", io, async (t) => {
    const asked: string[] = [];
    const listener = new TcpListener({
      onConnection: () => undefined,
      admit: (address) => void asked.push(address),
    });
    closeAfter(t, listener);
    const { port } = await listener.listen({ host: "", port: 0 });
    const client = connect({ port, host: "127.0.0.1" });
    closeAfter(t, client);
    await failed(client);
    assert.deepEqual(asked, ["127.0.0.1"]);
  });

  it("gives a place back when its connection has closed, and no earlier", io, async (t) => {
    const accepted: Socket[] = [];
    let released = 0;
    const listener = new TcpListener({
      onConnection: (socket) => accepted.push(socket),
      admit: () => () => (released += 1),
    });
    closeAfter(t, listener);
    const { port } = await listener.listen(loopback);
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    closeAfter(t, client);
    await until(() => accepted.length === 1);
    accepted[0]?.resume();
    client.end();
    await event(accepted[0] ?? client, "end");
    assert.equal(released, 0);
    accepted[0]?.destroy();
    await until(() => listener.connectionCount === 0);
    assert.equal(released, 1);
  });
});

describe("TcpListener on a Unix socket", () => {
  it(
    "accepts there, says where, and removes the file at the stop before it waits for anybody",
    io,
    async (t) => {
      const path = createTempDir(t).join("a.sock");
      const accepted: Socket[] = [];
      const listener = new TcpListener({ onConnection: (socket) => accepted.push(socket) });
      closeAfter(t, listener);
      assert.deepEqual(await listener.listenOnFile({ path }), { path });
      const client = connect({ path });
      closeAfter(t, client);
      await until(() => listener.connectionCount === 1);
      accepted[0]?.end("hello");
      assert.equal((await readAll(client)).toString(), "hello");
      const waiting = connect({ path });
      closeAfter(t, waiting);
      await until(() => accepted.length === 2);
      const cut = new AbortController();
      const stopped = listener.stop(cut.signal);
      await until(() => !existsSync(path));
      assert.equal(listener.connectionCount, 1);
      cut.abort();
      await stopped;
      await closed(waiting.resume());
    },
  );

  it("says what is in the way", io, async (t) => {
    const path = createTempDir(t).write("a.sock", "precious");
    const listener = new TcpListener({ onConnection: () => undefined });
    await assert.rejects(listener.listenOnFile({ path }), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.message, `listen unix:${path}: a file is there that is no socket`);
      return true;
    });
  });
});
