import assert from "node:assert/strict";
import { EventEmitter, getEventListeners, once } from "node:events";
import { createServer, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { dial, interleaveFamilies, type Lookup } from "../../src/net/dial.js";
import { DialError } from "../../src/net/dial-error.js";
import { Resolver } from "../../src/net/resolver.js";
import { readAll } from "../helpers/bytes.js";
import { addressOf, closeAfter, closedPort, listen, openSockets } from "../helpers/sockets.js";
import { closed, event, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
const ipv6 = { ...io, skip: hasIPv6 ? false : "this machine has no IPv6" };

function answering(...addresses: string[]): Lookup {
  return async () => Promise.resolve(addresses);
}

/** A listener on 127.0.0.1, and on other addresses of the loopback net with the same port if asked. */
async function destination(t: TestContext): Promise<{ port: number; accepted: Socket[] }> {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    closeAfter(t, socket);
    accepted.push(socket);
  });
  const { port } = await listen(t, server);
  return { port, accepted };
}

type Attempt = Socket & { readonly triedHost: string };

/**
 * An address whose attempts are never answered: the kernel would need a packet filter for that, so Node's connect is kept
 * from reaching it. Everything else goes through.
 */
function silence(t: TestContext, silent: readonly string[]): Attempt[] {
  const attempts: Attempt[] = [];
  const original = Reflect.get(Socket.prototype, "connect") as (this: Socket, ...values: unknown[]) => Socket;
  t.mock.method(Socket.prototype, "connect", function connect(this: Socket, ...values: unknown[]): Socket {
    const [options] = values.flat() as { host?: string }[];
    if (!silent.includes(options?.host ?? "")) return original.apply(this, values);
    attempts.push(Object.assign(this, { triedHost: options?.host ?? "" }));
    return this;
  });
  return attempts;
}

async function dialError(dialling: Promise<Socket>): Promise<DialError> {
  const outcome: unknown = await dialling.catch((error: unknown) => error);
  assert.ok(outcome instanceof DialError, `not a DialError: ${String(outcome)}`);
  return outcome;
}

describe("dial", () => {
  it("connects to an address", io, async (t) => {
    const { port, accepted } = await destination(t);
    const socket = await dial({ host: "127.0.0.1", port });
    closeAfter(t, socket);
    assert.equal(socket.remotePort, port);
    assert.equal(socket.allowHalfOpen, true);
    assert.ok(socket.listenerCount("error") > 0);
    await until(() => accepted.length === 1);
    const answer = readAll(socket);
    socket.end("question");
    const [peer] = accepted;
    assert.ok(peer !== undefined);
    assert.equal((await readAll(peer)).toString(), "question");
    peer.end("late answer");
    assert.equal((await answer).toString(), "late answer");
  });

  it("does not ask about an address", io, async (t) => {
    const { port } = await destination(t);
    const lookup: Lookup = async () => Promise.reject(new Error("asked"));
    closeAfter(t, await dial({ host: "127.0.0.1", port }, { lookup }));
  });

  it("resolves a name", io, async (t) => {
    const { port } = await destination(t);
    const asked: string[] = [];
    const lookup: Lookup = async (host) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const socket = await dial({ host: "somewhere.test", port }, { lookup });
    closeAfter(t, socket);
    assert.deepEqual(asked, ["somewhere.test"]);
    assert.equal(socket.remoteAddress, "127.0.0.1");
  });

  it("asks the operating system by default", io, async (t) => {
    const { port } = await destination(t);
    const socket = await dial({ host: "localhost", port });
    closeAfter(t, socket);
    assert.equal(socket.remotePort, port);
  });

  it("connects to an IPv6 address", ipv6, async (t) => {
    const server = createServer((socket) => {
      closeAfter(t, socket);
    });
    closeAfter(t, server);
    server.listen(0, "::1");
    await event(server, "listening");
    const socket = await dial({ host: "::1", port: addressOf(server).port });
    closeAfter(t, socket);
    assert.equal(socket.remoteAddress, "::1");
  });

  it("sends without delay", io, async (t) => {
    const { port } = await destination(t);
    const connect = t.mock.method(Socket.prototype, "connect");
    closeAfter(t, await dial({ host: "127.0.0.1", port }));
    const [options] = (connect.mock.calls[0]?.arguments ?? []).flat() as unknown as { noDelay?: boolean }[];
    assert.equal(options?.noDelay, true);
  });

  it("survives a reset of the connection that nobody listens to yet", io, async (t) => {
    const { port, accepted } = await destination(t);
    const socket = await dial({ host: "127.0.0.1", port });
    closeAfter(t, socket);
    await until(() => accepted.length === 1);
    accepted[0]?.resetAndDestroy();
    await new Promise((resolve) => socket.once("close", resolve));
    assert.equal(socket.destroyed, true);
  });

  it("says that it was refused", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const error = await dialError(dial({ host: "127.0.0.1", port }));
    assert.equal(error.code, "refused");
    assert.equal(error.message, `connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
    assert.ok(error.cause instanceof Error);
  });

  it("puts an IPv6 destination in brackets when it names it", ipv6, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const error = await dialError(dial({ host: "::1", port }));
    assert.ok(error.message.startsWith(`connect to [::1]:${port}: `), error.message);
  });

  const failingLookups: readonly (readonly [string, Lookup, RegExp])[] = [
    [
      "is unknown",
      async () => Promise.reject(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" })),
      /getaddrinfo ENOTFOUND/,
    ],
    ["cannot be asked about", async () => Promise.reject(new Error("no resolver")), /no resolver/],
    ["has no address", answering(), /the name has no address/],
    [
      "makes the look-up throw",
      () => {
        throw new Error("thrown");
      },
      /thrown/,
    ],
  ];
  for (const [what, lookup, reason] of failingLookups) {
    it(`says that a name does not resolve when it ${what}`, io, async (t) => {
      closeAfter(t);
      const error = await dialError(dial({ host: "nowhere.test", port: 80 }, { lookup }));
      assert.equal(error.code, "unresolved");
      assert.ok(error.message.startsWith("connect to nowhere.test:80: "));
      assert.match(error.message, reason);
    });
  }

  it("gives up on a look-up that never answers", io, async (t) => {
    closeAfter(t);
    const lookup: Lookup = async () => new Promise(() => undefined);
    const error = await dialError(dial({ host: "slow.test", port: 80 }, { lookup, connectTimeoutMs: 30 }));
    assert.equal(error.code, "timeout");
    assert.equal(error.message, "connect to slow.test:80: no answer within 30 ms");
  });

  it("gives up while its name waits to be looked up", io, async (t) => {
    closeAfter(t);
    const resolver = new Resolver({ lookup: async () => new Promise(() => undefined) });
    for (let index = 0; index < 40; index++) void resolver.resolve(`${index}.test`);
    const giveUp = new AbortController();
    const options = { lookup: resolver.resolve, connectTimeoutMs: 30 };
    const slow = dialError(dial({ host: "slow.test", port: 80 }, options));
    const left = dialError(dial({ host: "slow.test", port: 80 }, { ...options, signal: giveUp.signal }));
    giveUp.abort();
    assert.deepEqual([(await left).code, (await slow).code], ["aborted", "timeout"]);
  });

  it("drops the late answer of a look-up, or its late failure", io, async (t) => {
    closeAfter(t);
    const answers = [
      async () => Promise.resolve(["127.0.0.1"]),
      async () => Promise.reject<string[]>(new Error("too late")),
    ];
    for (const answer of answers) {
      const late = new EventEmitter();
      const lookup: Lookup = async () => once(late, "now").then(answer);
      await dialError(dial({ host: "slow.test", port: 80 }, { lookup, connectTimeoutMs: 10 }));
      late.emit("now");
      await turns(10);
    }
    assert.deepEqual(openSockets(), []);
  });

  it("gives up on an address that never answers, and destroys the attempt", io, async (t) => {
    closeAfter(t);
    const attempts = silence(t, ["127.0.0.9"]);
    const error = await dialError(dial({ host: "127.0.0.9", port: 80 }, { connectTimeoutMs: 30 }));
    assert.equal(error.code, "timeout");
    assert.equal(error.message, "connect to 127.0.0.9:80: no answer within 30 ms");
    assert.deepEqual(
      attempts.map(({ destroyed }) => destroyed),
      [true],
    );
  });

  it("counts the look-up into its time", io, async (t) => {
    closeAfter(t);
    silence(t, ["127.0.0.9"]);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let isFound = false;
    const lookup: Lookup = async () => {
      t.mock.timers.tick(4_000);
      isFound = true;
      return Promise.resolve(["127.0.0.9"]);
    };
    const messages: string[] = [];
    const dialling = dialError(dial({ host: "slow.test", port: 80 }, { lookup })).then(({ message }) =>
      messages.push(message),
    );
    await turns(10);
    assert.equal(isFound, true);
    t.mock.timers.tick(999);
    await turns(10);
    assert.deepEqual(messages, []);
    t.mock.timers.tick(1);
    await dialling;
    assert.deepEqual(messages, ["connect to slow.test:80: no answer within 5000 ms"]);
  });

  it("does not begin when it is given up before", io, async (t) => {
    const { port, accepted } = await destination(t);
    const signal = AbortSignal.abort();
    const error = await dialError(dial({ host: "127.0.0.1", port }, { signal }));
    assert.equal(error.code, "aborted");
    assert.equal(error.message, `connect to 127.0.0.1:${port}: given up`);
    await turns(10);
    assert.equal(accepted.length, 0);
  });

  it("stops when it is given up during the look-up", io, async (t) => {
    closeAfter(t);
    const giveUp = new AbortController();
    const lookup: Lookup = async () => new Promise(() => undefined);
    const dialling = dialError(dial({ host: "slow.test", port: 80 }, { lookup, signal: giveUp.signal }));
    giveUp.abort();
    assert.equal((await dialling).code, "aborted");
  });

  it("stops when it is given up while connecting, and destroys the attempts", io, async (t) => {
    closeAfter(t);
    const attempts = silence(t, ["127.0.0.8", "127.0.0.9"]);
    const giveUp = new AbortController();
    const dialling = dialError(
      dial(
        { host: "two.test", port: 80 },
        { lookup: answering("127.0.0.8", "127.0.0.9"), attemptDelayMs: 1, signal: giveUp.signal },
      ),
    );
    await until(() => attempts.length === 2);
    giveUp.abort();
    assert.equal((await dialling).code, "aborted");
    assert.deepEqual(
      attempts.map(({ destroyed }) => destroyed),
      [true, true],
    );
  });

  it("leaves the connection alone when it is given up afterwards", io, async (t) => {
    const { port } = await destination(t);
    const giveUp = new AbortController();
    const socket = await dial({ host: "127.0.0.1", port }, { signal: giveUp.signal });
    closeAfter(t, socket);
    giveUp.abort();
    await turns(10);
    assert.equal(socket.destroyed, false);
  });

  it("leaves no listener on the signal", io, async (t) => {
    const { port } = await destination(t);
    const { signal } = new AbortController();
    closeAfter(t, await dial({ host: "127.0.0.1", port }, { signal }));
    await dialError(dial({ host: "127.0.0.1", port: await closedPort() }, { signal }));
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("does not miss that it is given up just as the name resolves", io, async (t) => {
    const { port } = await destination(t);
    // Which turn of the microtasks lies between the look-up and the first attempt is not ours to know.
    for (let depth = 0; depth < 12; depth++) {
      const giveUp = new AbortController();
      const abortIn = (turnsLeft: number): void => {
        if (turnsLeft === 0) giveUp.abort();
        else queueMicrotask(abortIn.bind(undefined, turnsLeft - 1));
      };
      const lookup: Lookup = async () => {
        abortIn(depth);
        return Promise.resolve(["127.0.0.1"]);
      };
      const error = await dialError(dial({ host: "a.test", port }, { lookup, signal: giveUp.signal }));
      assert.equal(error.code, "aborted", `after ${depth} microtasks`);
    }
  });

  it("asks about no name when it is given up before", io, async (t) => {
    closeAfter(t);
    let askedCount = 0;
    const lookup: Lookup = async () => {
      askedCount++;
      return new Promise(() => undefined);
    };
    const error = await dialError(
      dial({ host: "a.test", port: 80 }, { lookup, signal: AbortSignal.abort() }),
    );
    assert.equal(error.code, "aborted");
    assert.equal(askedCount, 0);
  });

  it("leaves nothing on the socket that would keep what is over", io, async (t) => {
    const { port } = await destination(t);
    const sockets = [await dial({ host: "127.0.0.1", port }), await dial({ host: "127.0.0.1", port })];
    closeAfter(t, ...sockets);
    const [one, other] = sockets.map((socket) => socket.listeners("error"));
    assert.equal(one?.length, 1);
    // The same for both: so it knows of neither.
    assert.deepEqual(one, other);
    assert.deepEqual(
      sockets.map((socket) => socket.listenerCount("connect")),
      [0, 0],
    );
  });

  it("leaves no timer behind", io, async (t) => {
    const { port } = await destination(t);
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const lookup = answering("127.0.0.1", "127.0.0.2");
    closeAfter(t, await dial({ host: "two.test", port }, { lookup, attemptDelayMs: 60_000 }));
    assert.equal(timers(), before);
    await dialError(dial({ host: "127.0.0.1", port: await closedPort() }));
    assert.equal(timers(), before);
  });
});

describe("dial to a name with several addresses", () => {
  it("goes on to the next address at once when one refuses", io, async (t) => {
    const { port } = await destination(t);
    // Nobody listens at 127.0.0.2, as the destination listens at 127.0.0.1 only.
    const lookup = answering("127.0.0.2", "127.0.0.1");
    const socket = await dial({ host: "two.test", port }, { lookup, attemptDelayMs: 60_000 });
    closeAfter(t, socket);
    assert.equal(socket.remoteAddress, "127.0.0.1");
  });

  it("tries the next address beside one that does not answer, which is destroyed then", io, async (t) => {
    const { port } = await destination(t);
    const attempts = silence(t, ["127.0.0.9"]);
    const begin = performance.now();
    const lookup = answering("127.0.0.9", "127.0.0.1");
    const socket = await dial({ host: "two.test", port }, { lookup, attemptDelayMs: 40 });
    closeAfter(t, socket);
    assert.ok(performance.now() - begin >= 39, "the second attempt came too early");
    assert.equal(socket.remoteAddress, "127.0.0.1");
    assert.deepEqual(
      attempts.map(({ destroyed }) => destroyed),
      [true],
    );
  });

  it("lets earlier attempts go on: the first address may answer last", io, async (t) => {
    const { port, accepted } = await destination(t);
    const attempts = silence(t, ["127.0.0.8", "127.0.0.9"]);
    const lookup = answering("127.0.0.8", "127.0.0.9");
    const dialling = dial({ host: "two.test", port }, { lookup, attemptDelayMs: 5 });
    await until(() => attempts.length === 2);
    const [first, second] = attempts;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.destroyed, false);
    t.mock.restoreAll();
    first.connect({ host: "127.0.0.1", port });
    const socket = await dialling;
    closeAfter(t, socket);
    assert.equal(socket, first);
    assert.equal(second.destroyed, true);
    await until(() => accepted.length === 1);
  });

  it("closes the connection of an attempt that comes second", io, async (t) => {
    const { port, accepted } = await destination(t);
    const attempts = silence(t, ["127.0.0.8", "127.0.0.9"]);
    const lookup = answering("127.0.0.8", "127.0.0.9");
    const dialling = dial({ host: "two.test", port }, { lookup, attemptDelayMs: 1 });
    await until(() => attempts.length === 2);
    t.mock.restoreAll();
    for (const attempt of attempts) attempt.connect({ host: "127.0.0.1", port });
    const socket = await dialling;
    closeAfter(t, socket);
    const losers = attempts.filter((attempt) => attempt !== socket);
    assert.deepEqual(
      losers.map(({ destroyed }) => destroyed),
      [true],
    );
    await closed(losers[0] ?? socket);
    assert.equal(socket.destroyed, false);
    await until(() => accepted.length >= 1);
  });

  it("starts one attempt for each delay, no earlier", io, async (t) => {
    closeAfter(t);
    const silent = ["127.0.0.7", "127.0.0.8", "127.0.0.9"];
    const attempts = silence(t, silent);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const dialling = dialError(dial({ host: "three.test", port: 80 }, { lookup: answering(...silent) }));
    await turns(5);
    const counts = [attempts.length];
    for (const ms of [249, 1, 249, 1, 250]) {
      t.mock.timers.tick(ms);
      counts.push(attempts.length);
    }
    assert.deepEqual(counts, [1, 1, 2, 2, 3, 3]);
    t.mock.timers.tick(5_000);
    assert.equal((await dialling).code, "timeout");
    assert.ok(attempts.every(({ destroyed }) => destroyed));
  });

  it("gives each attempt its full delay, also after one that failed early", io, async (t) => {
    closeAfter(t);
    const silent = ["127.0.0.7", "127.0.0.8", "127.0.0.9"];
    const attempts = silence(t, silent);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const dialling = dialError(dial({ host: "three.test", port: 80 }, { lookup: answering(...silent) }));
    await turns(5);
    t.mock.timers.tick(100);
    attempts[0]?.destroy(new Error("refused early"));
    await turns(5);
    assert.equal(attempts.length, 2);
    t.mock.timers.tick(249);
    assert.equal(attempts.length, 2);
    t.mock.timers.tick(1);
    assert.equal(attempts.length, 3);
    t.mock.timers.tick(5_000);
    await dialling;
  });

  it("lets the families take turns", io, async (t) => {
    closeAfter(t);
    const silent = ["127.0.0.8", "127.0.0.9", "::8", "::9"];
    const attempts = silence(t, silent);
    const dialling = dialError(
      dial(
        { host: "four.test", port: 80 },
        { lookup: answering(...silent), attemptDelayMs: 1, connectTimeoutMs: 500 },
      ),
    );
    await until(() => attempts.length === 4);
    assert.deepEqual(
      attempts.map(({ triedHost }) => triedHost),
      ["127.0.0.8", "::8", "127.0.0.9", "::9"],
    );
    await dialling;
  });

  const systemCodes = {
    "127.0.0.5": "ENETUNREACH",
    "127.0.0.6": "EHOSTUNREACH",
    "127.0.0.7": "ETIMEDOUT",
    "127.0.0.8": "ECONNREFUSED",
    "127.0.0.9": "EACCES",
  };
  const failures = [
    [["127.0.0.5"], "network-unreachable"],
    [["127.0.0.6"], "host-unreachable"],
    [["127.0.0.7"], "timeout"],
    [["127.0.0.9"], "failed"],
    [["127.0.0.5", "127.0.0.8"], "refused"],
    [["127.0.0.8", "127.0.0.5"], "refused"],
    [["127.0.0.5", "127.0.0.6"], "host-unreachable"],
    [["127.0.0.5", "127.0.0.7"], "timeout"],
    [["127.0.0.9", "127.0.0.5"], "network-unreachable"],
  ] as const;
  for (const [addresses, code] of failures) {
    const names = addresses.map((address) => systemCodes[address]).join(" and ");
    it(`says ${code} after ${names}`, io, async (t) => {
      closeAfter(t);
      const attempts = silence(t, addresses);
      const dialling = dialError(dial({ host: "bad.test", port: 80 }, { lookup: answering(...addresses) }));
      for (const [index, address] of addresses.entries()) {
        await until(() => attempts.length > index);
        const systemCode = systemCodes[address];
        attempts[index]?.destroy(Object.assign(new Error(`connect ${systemCode}`), { code: systemCode }));
      }
      const error = await dialling;
      assert.equal(error.code, code);
      assert.match(error.message, /^connect to bad\.test:80: connect E/);
      assert.equal(attempts.length, addresses.length);
    });
  }
});

describe("interleaveFamilies", () => {
  const cases = [
    [[], []],
    [["1.1.1.1"], ["1.1.1.1"]],
    [["::1"], ["::1"]],
    [
      ["::1", "::2", "1.1.1.1", "2.2.2.2"],
      ["::1", "1.1.1.1", "::2", "2.2.2.2"],
    ],
    [
      ["1.1.1.1", "::1", "::2"],
      ["1.1.1.1", "::1", "::2"],
    ],
    [
      ["1.1.1.1", "2.2.2.2", "3.3.3.3", "::1"],
      ["1.1.1.1", "::1", "2.2.2.2", "3.3.3.3"],
    ],
    [
      ["1.1.1.1", "2.2.2.2"],
      ["1.1.1.1", "2.2.2.2"],
    ],
  ] as const;
  for (const [addresses, order] of cases) {
    it(`orders [${addresses.join(" ")}] as [${order.join(" ")}]`, () => {
      assert.deepEqual(interleaveFamilies(addresses), order);
    });
  }
});
