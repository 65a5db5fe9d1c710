import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { readParsed } from "../../src/net/byte-reader.js";
import { DialError } from "../../src/net/dial-error.js";
import { dialThrough, type DialThroughOptions, type Handshake } from "../../src/net/dial-through.js";
import { readBytes } from "../helpers/bytes.js";
import { startDestination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { closed, turns, until } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };
const what = "connect to x:1 through y";
const never = new Promise<never>(() => undefined);

/** A handshake that has what it wants when the server has said a byte. */
const waitForByte: Handshake<Socket> = async (socket) => {
  await readParsed(socket, ([first]) =>
    first === undefined ? { kind: "more" } : { kind: "done", value: first, length: 1 },
  );
  return socket;
};

async function dialTo<T>(
  port: number,
  handshake: Handshake<T>,
  options: Partial<DialThroughOptions<T>> = {},
): Promise<T> {
  return dialThrough({ host: "127.0.0.1", port }, { what, handshake, ...options });
}

/** Dials a server that says nothing, until the handshake has begun. */
async function dialSilent(
  t: TestContext,
  handshake: Handshake<unknown>,
  options: Partial<DialThroughOptions<unknown>> = {},
) {
  const server = await startDestination(t);
  let hasBegun = false;
  const dialled = dialTo(
    server.endpoint.port,
    async (socket) => {
      hasBegun = true;
      return handshake(socket);
    },
    options,
  );
  dialled.catch(() => undefined);
  const peer = await server.accept();
  const ending = endingOf(peer.resume());
  await until(() => hasBegun);
  return { dialled, ending };
}

describe("dialThrough", () => {
  failOnUnhandled();

  it("returns what the handshake does, and leaves the connection open", io, async (t) => {
    const server = await startDestination(t);
    const dialled = dialTo(server.endpoint.port, waitForByte);
    const peer = await server.accept();
    peer.write("!payload");
    const socket = await dialled;
    closeAfter(t, socket);
    assert.equal((await readBytes(socket, 7)).toString(), "payload");
    assert.equal(socket.allowHalfOpen, true);
  });

  it("dials as its options say", io, async (t) => {
    const server = await startDestination(t);
    const lookup = async () => Promise.resolve(["127.0.0.1"]);
    const { port } = server.endpoint;
    const options = { what, lookup, handshake: async (socket: Socket) => Promise.resolve(socket) };
    const socket = await dialThrough({ host: "proxy.test", port }, options);
    closeAfter(t, socket);
    assert.equal(socket.remoteAddress, "127.0.0.1");
  });

  it(
    "fails where nobody is there, not as if it were the destination that refuses, and says for what it was",
    io,
    async (t) => {
      closeAfter(t);
      const port = await closedPort();
      const message = `${what}: connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
      const handshake = () => assert.fail("nobody is there to shake hands with");
      await assert.rejects(dialTo(port, handshake), new DialError("failed", message));
    },
  );

  it("fails where the server's name has no address, and says for what it was", io, async (t) => {
    closeAfter(t);
    const lookup = async () => Promise.reject(new Error("nobody knows"));
    const dialled = dialThrough({ host: "proxy.test", port: 1 }, { what, handshake: waitForByte, lookup });
    await assert.rejects(dialled, new DialError("failed", `${what}: connect to proxy.test:1: nobody knows`));
  });

  it("is too late where the kernel's patience ends before ours", io, async (t) => {
    closeAfter(t);
    const cause = Object.assign(new Error("connect ETIMEDOUT"), { code: "ETIMEDOUT" });
    t.mock.method(Socket.prototype, "connect", function connect(this: Socket) {
      return this.destroy(cause);
    });
    await assert.rejects(dialTo(1, waitForByte), {
      code: "timeout",
      message: /^connect to x:1 .*ETIMEDOUT$/,
    });
  });

  it("fails as the handshake does, says for what it was, and resets", io, async (t) => {
    const { dialled, ending } = await dialSilent(t, async () => {
      return Promise.reject(new DialError("blocked", "it says no"));
    });
    await assert.rejects(dialled, new DialError("blocked", `${what}: it says no`));
    assert.equal(await ending, "reset");
  });

  it("fails where the server ends in the handshake, and resets", io, async (t) => {
    const server = await startDestination(t);
    const dialled = dialTo(server.endpoint.port, waitForByte);
    const peer = await server.accept();
    peer.end();
    const message = `${what}: connection closed after 0 bytes of an unfinished message`;
    await assert.rejects(dialled, new DialError("failed", message));
    await closed(peer.resume());
  });

  it("does not take our own mistakes for the server's", io, async (t) => {
    const mistake = new TypeError("our own");
    const { dialled, ending } = await dialSilent(t, async () => Promise.reject(mistake));
    await assert.rejects(dialled, mistake);
    assert.equal(await ending, "reset");
  });

  it("gives the handshake no longer than there is time left, and resets", io, async (t) => {
    const { dialled, ending } = await dialSilent(t, waitForByte, { connectTimeoutMs: 40 });
    await assert.rejects(dialled, new DialError("timeout", `${what}: no answer within 40 ms`));
    assert.equal(await ending, "reset");
  });

  it("counts the look-up into the time", io, async (t) => {
    closeAfter(t);
    const options = { what, handshake: waitForByte, connectTimeoutMs: 20, lookup: async () => never };
    const dialled = dialThrough({ host: "proxy.test", port: 1 }, options);
    await assert.rejects(dialled, new DialError("timeout", `${what}: no answer within 20 ms`));
  });

  it("waits five seconds for all of it by default", io, async (t) => {
    closeAfter(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const options = { what, handshake: waitForByte, lookup: async () => never };
    const outcomes: unknown[] = [];
    const dialled = dialThrough({ host: "proxy.test", port: 1 }, options).catch((error: unknown) =>
      outcomes.push(error),
    );
    t.mock.timers.tick(4_999);
    await turns(5);
    assert.deepEqual(outcomes, []);
    t.mock.timers.tick(1);
    await dialled;
    assert.deepEqual(outcomes, [new DialError("timeout", `${what}: no answer within 5000 ms`)]);
  });

  it("stops when it is given up in the handshake, and resets", io, async (t) => {
    const giveUp = new AbortController();
    const { dialled, ending } = await dialSilent(t, waitForByte, { signal: giveUp.signal });
    giveUp.abort();
    await assert.rejects(dialled, new DialError("aborted", `${what}: given up`));
    assert.equal(await ending, "reset");
  });

  it("stops although the handshake waits for something else", io, async (t) => {
    const giveUp = new AbortController();
    const { dialled, ending } = await dialSilent(t, async () => never, { signal: giveUp.signal });
    giveUp.abort();
    await assert.rejects(dialled, { code: "aborted" });
    assert.equal(await ending, "reset");
  });

  it("does not begin where it is given up before", io, async (t) => {
    const server = await startDestination(t);
    const handshake = () => assert.fail("it has begun");
    const dialled = dialTo(server.endpoint.port, handshake, { signal: AbortSignal.abort() });
    await assert.rejects(dialled, new DialError("aborted", `${what}: given up`));
    await turns(5);
    assert.equal(server.acceptedCount, 0);
  });

  it("does not miss that it is given up just as the server is connected", io, async (t) => {
    const server = await startDestination(t);
    const begun: boolean[] = [];
    // Which turn of the microtasks lies between the connection and the handshake is not ours to know.
    for (let depth = 0; depth < 8; depth++) {
      const giveUp = new AbortController();
      const abortIn = (turnsLeft: number): void => {
        if (turnsLeft === 0) giveUp.abort();
        else queueMicrotask(abortIn.bind(undefined, turnsLeft - 1));
      };
      onConnect(t, () => {
        abortIn(depth);
      });
      const handshake: Handshake<never> = async () => {
        begun.push(giveUp.signal.aborted);
        return never;
      };
      const dialled = dialTo(server.endpoint.port, handshake, { signal: giveUp.signal });
      await assert.rejects(dialled, { code: "aborted" }, `after ${depth} microtasks`);
      t.mock.restoreAll();
    }
    assert.ok(begun.length > 0 && begun.length < 8, `${begun.length}`);
    assert.deepEqual(new Set(begun), new Set([false]));
  });

  it(
    "leaves the connection alone when it is given up afterwards, and no listener on the signal",
    io,
    async (t) => {
      const server = await startDestination(t);
      const giveUp = new AbortController();
      const handshake = async (socket: Socket) => Promise.resolve(socket);
      const socket = await dialTo(server.endpoint.port, handshake, { signal: giveUp.signal });
      closeAfter(t, socket);
      assert.equal(getEventListeners(giveUp.signal, "abort").length, 0);
      giveUp.abort();
      await turns(5);
      assert.equal(socket.destroyed, false);
    },
  );
});

/** Calls back as soon as a socket is connected, before anybody else. */
function onConnect(t: TestContext, callback: () => void): void {
  const original = Reflect.get(Socket.prototype, "connect") as (this: Socket, ...values: unknown[]) => Socket;
  t.mock.method(Socket.prototype, "connect", function connect(this: Socket, ...values: unknown[]): Socket {
    this.once("connect", callback);
    return original.apply(this, values);
  });
}
