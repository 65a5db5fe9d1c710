import assert from "node:assert/strict";
import type { ServerOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { countConnection } from "../../src/net/counting-connection.js";
import { DialError, type DialErrorCode } from "../../src/net/dial-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { DirectOutbound } from "../../src/proxy/direct-outbound.js";
import type { ProxyRequest } from "../../src/proxy/inbound.js";
import { MixedInbound } from "../../src/proxy/mixed-inbound.js";
import type { Outbound } from "../../src/proxy/outbound.js";
import { Router } from "../../src/proxy/router.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import {
  chainTrackers,
  type ConnectionMetadata,
  type ConnectionTracker,
} from "../../src/track/connection-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { duplexPair } from "../helpers/duplex-pair.js";
import { startDestination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { connectHead } from "../helpers/http-client.js";
import { askProxy, connectTo, openTunnel, proxyProtocols } from "../helpers/proxy.js";
import { createRandom } from "../helpers/random.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter, socketPair } from "../helpers/sockets.js";
import { socks5Greeting, socks5Request } from "../helpers/socks5-client.js";
import { createTallies } from "../helpers/tally.js";
import { closed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const destination = { host: "example.com", port: 443 };
const source = { host: "192.0.2.7", port: 50_000 };
const boundTo = { host: "192.0.2.1", port: 1080 };
const noTracker = chainTrackers([]);

type Dial = Outbound["dial"];

function outboundWith(dial: Dial): Outbound {
  return { tag: "out", type: "fake", dial };
}

/** A request that notes what it is told, and its client's two ends. */
interface FakeRequest {
  readonly request: ProxyRequest;
  /** The far end, in the client's hands. */
  readonly far: Socket;
  readonly answers: readonly (Endpoint | DialError)[];
}

async function fakeRequest(t: TestContext, user?: string, options: ServerOpts = {}): Promise<FakeRequest> {
  const { client: far, server: client } = await socketPair(t, options);
  const answers: (Endpoint | DialError)[] = [];
  const request: ProxyRequest = {
    inbound: "in",
    client,
    user,
    source,
    destination,
    accept: (at) => answers.push(at),
    reject: (error) => {
      answers.push(error);
      client.destroy();
    },
  };
  return { request, far, answers };
}

/** Notes what it is asked, then does as `track` says. */
class FakeTracker implements ConnectionTracker {
  readonly calls: { readonly connection: Duplex; readonly metadata: ConnectionMetadata }[] = [];
  readonly #track: <C extends Duplex>(connection: C) => C;

  constructor(track: <C extends Duplex>(connection: C) => C = (connection) => connection) {
    this.#track = track;
  }

  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C {
    this.calls.push({ connection, metadata });
    return this.#track(connection);
  }
}

function valuesIn(store: CounterStore): Record<string, bigint> {
  return Object.fromEntries([...store.query(() => true)].map(({ name, counter }) => [name, counter.value]));
}

describe("Router", () => {
  for (const user of ["alice", undefined]) {
    it(`tells the tracker who goes where: user ${String(user)}`, io, async (t) => {
      const { request } = await fakeRequest(t, user);
      const tracker = new FakeTracker();
      const dial: Dial = async () => Promise.reject(new DialError("refused", "no"));
      await new Router({ final: outboundWith(dial), tracker }).route(request);
      const metadata = {
        inbound: "in",
        outbound: "out",
        user,
        network: "tcp",
        source,
        destination,
        rule: "final",
      };
      assert.deepEqual(tracker.calls, [{ connection: request.client, metadata }]);
    });
  }

  it("tracks once, before it dials, and dials the destination once", io, async (t) => {
    const { request } = await fakeRequest(t);
    const order: string[] = [];
    const tracker = new FakeTracker((connection) => {
      order.push("track");
      return connection;
    });
    const dial: Dial = async (to) => {
      order.push(`dial ${to.host}:${to.port}`);
      return Promise.reject(new DialError("refused", "no"));
    };
    await new Router({ final: outboundWith(dial), tracker }).route(request);
    assert.deepEqual(order, ["track", "dial example.com:443"]);
  });

  it("answers with the outbound's end of the connection, and only then", io, async (t) => {
    const { request, far, answers } = await fakeRequest(t);
    const [near, remote] = duplexPair();
    let open = (): void => undefined;
    const dial: Dial = async () =>
      new Promise((resolve) => {
        open = () => {
          resolve({ connection: near, boundTo });
        };
      });
    const routed = new Router({ final: outboundWith(dial), tracker: noTracker }).route(request);
    far.write("early");
    await turns(5);
    assert.deepEqual(answers, []);
    open();
    assert.equal((await readBytes(remote, 5)).toString(), "early");
    assert.deepEqual(answers, [boundTo]);
    remote.end("bye");
    far.end();
    remote.resume();
    assert.equal((await readAll(far)).toString(), "bye");
    await routed;
    assert.deepEqual(answers, [boundTo]);
  });

  it("counts both directions for the tracker's sinks, early bytes included", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const { up, down, sinks } = createTallies();
    const tracker = new FakeTracker((connection) => countConnection(connection, sinks));
    const [near, remote] = duplexPair();
    request.client.unshift(Buffer.from("head"));
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = new Router({ final, tracker }).route(request);
    far.end("body");
    assert.equal((await readAll(remote)).toString(), "headbody");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
    assert.deepEqual([up.bytes, down.bytes], [8, 6]);
  });

  it("relays through a tracker's wrapper that is not ours, and counts beneath it", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const { up, down, sinks } = createTallies();
    const [near, remote] = duplexPair();
    const [inner, outer] = duplexPair();
    // Somebody's wrapper: what is read from it is what came from the client, in capitals.
    const strange: ConnectionTracker = {
      routedConnection: <C extends Duplex>(connection: C): C => {
        connection.on("data", (chunk: Buffer) => inner.write(chunk.toString().toUpperCase()));
        connection.on("end", () => inner.end());
        inner.pipe(connection);
        return outer as Duplex as C;
      },
    };
    const counting = new FakeTracker((connection) => countConnection(connection, sinks));
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = new Router({ final, tracker: chainTrackers([counting, strange]) }).route(request);
    far.end("quiet");
    assert.equal((await readAll(remote)).toString(), "QUIET");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
    assert.deepEqual([up.bytes, down.bytes], [5, 6]);
  });

  it("logs a connection with its facts, and its end", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const logger = new RecordingLogger();
    const [near, remote] = duplexPair();
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = new Router({ final, tracker: noTracker, logger }).route(request);
    far.end();
    far.resume();
    remote.end();
    remote.resume();
    await routed;
    const fields = {
      inbound: "in",
      outbound: "out",
      user: "alice",
      network: "tcp",
      rule: "final",
      source: "192.0.2.7:50000",
      destination: "example.com:443",
    };
    assert.deepEqual(logger.lines, [
      { level: "info", message: "connection", fields },
      { level: "debug", message: "connection closed", fields },
    ]);
  });

  it("leaves zeros behind when the dial is refused", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["in"], outbounds: ["out"], users: ["alice"] });
    const final = outboundWith(async () => Promise.reject(new DialError("refused", "no")));
    far.write("eager");
    await new Router({ final, tracker }).route(request);
    assert.deepEqual(valuesIn(store), {
      "inbound>>>in>>>traffic>>>uplink": 0n,
      "inbound>>>in>>>traffic>>>downlink": 0n,
      "outbound>>>out>>>traffic>>>uplink": 0n,
      "outbound>>>out>>>traffic>>>downlink": 0n,
      "user>>>alice>>>traffic>>>uplink": 0n,
      "user>>>alice>>>traffic>>>downlink": 0n,
    });
  });
});

describe("Router's refusal", () => {
  const codes: readonly DialErrorCode[] = [
    "refused",
    "network-unreachable",
    "host-unreachable",
    "unresolved",
    "timeout",
    "failed",
  ];
  for (const code of codes) {
    it(`tells the client of a dial that is ${code}, once`, io, async (t) => {
      const { request, answers } = await fakeRequest(t);
      const logger = new RecordingLogger();
      const error = new DialError(code, `connect: ${code}`);
      const final = outboundWith(async () => Promise.reject(error));
      await new Router({ final, tracker: noTracker, logger }).route(request);
      assert.deepEqual(answers, [error]);
      assert.deepEqual(logger.messages("debug"), [`connect: ${code}`]);
      assert.deepEqual(logger.messages("error"), []);
    });
  }

  it("closes without an answer when the dial was given up", io, async (t) => {
    const { request, answers } = await fakeRequest(t);
    const final = outboundWith(async () => Promise.reject(new DialError("aborted", "given up")));
    await new Router({ final, tracker: noTracker }).route(request);
    assert.deepEqual(answers, []);
    assert.equal(request.client.destroyed, true);
  });

  const failures: readonly (readonly [title: string, thrown: unknown, message: string])[] = [
    ["an error", new TypeError("broken"), "broken"],
    ["no error", "just a string", "just a string"],
  ];
  for (const [title, thrown, message] of failures) {
    it(`is a closed connection and an error line when the tracker throws ${title}`, io, async (t) => {
      const { request, far, answers } = await fakeRequest(t);
      const logger = new RecordingLogger();
      let dials = 0;
      const tracker = new FakeTracker(() => {
        throw thrown;
      });
      const final = outboundWith(async () => {
        dials++;
        return Promise.reject(new DialError("refused", "no"));
      });
      await new Router({ final, tracker, logger }).route(request);
      far.resume();
      await closed(far.end());
      assert.equal(request.client.destroyed, true);
      assert.deepEqual(logger.messages("error"), [message]);
      assert.deepEqual([answers.length, dials, tracker.calls.length], [0, 0, 1]);
    });

    it(`is a closed connection and an error line when the outbound throws ${title}`, io, async (t) => {
      const { request, answers } = await fakeRequest(t);
      const logger = new RecordingLogger();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever somebody's code throws
      const final = outboundWith(async () => Promise.reject(thrown));
      await new Router({ final, tracker: noTracker, logger }).route(request);
      assert.equal(request.client.destroyed, true);
      assert.deepEqual(logger.messages("error"), [message]);
      assert.deepEqual(answers, []);
    });
  }

  const table: readonly (readonly [code: DialErrorCode, reply: number, status: number])[] = [
    ["refused", 5, 502],
    ["network-unreachable", 3, 502],
    ["host-unreachable", 4, 502],
    ["unresolved", 4, 502],
    ["timeout", 4, 504],
    ["failed", 1, 502],
  ];
  for (const [code, reply, status] of table) {
    for (const protocol of proxyProtocols) {
      const expected = protocol === "http" ? status : reply;
      it(`of a dial that is ${code} is ${expected} in ${protocol}`, io, async (t) => {
        const final = outboundWith(async () => Promise.reject(new DialError(code, "no")));
        const { proxy } = await startProxy(t, { final });
        const { client, answer } = await askProxy(t, { protocol, proxy, destination });
        assert.equal(answer, expected);
        client.resume();
        await closed(client.end());
      });
    }
  }
});

describe("Router's dial", () => {
  /** An outbound whose dial waits until it is given up. */
  function patient(): { readonly final: Outbound; readonly dialled: Promise<AbortSignal> } {
    let started: (signal: AbortSignal) => void;
    const dialled = new Promise<AbortSignal>((resolve) => (started = resolve));
    const dial: Dial = async (_, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        assert.ok(signal !== undefined);
        signal.addEventListener("abort", () => {
          reject(new DialError("aborted", "given up"));
        });
        started(signal);
      });
    return { final: outboundWith(dial), dialled };
  }

  const heads = {
    socks5: Buffer.concat([socks5Greeting(0), socks5Request(destination)]),
    http: connectHead("example.com:443"),
  };

  const departures: readonly (readonly [title: string, sent: number, leave: (far: Socket) => void])[] = [
    ["resets", 0, (far) => far.resetAndDestroy()],
    ["resets after it sent something", 1_000, (far) => far.resetAndDestroy()],
  ];
  for (const [title, sent, leave] of departures) {
    it(`is given up when the client ${title}`, io, async (t) => {
      const { request, far, answers } = await fakeRequest(t, "alice");
      const { final, dialled } = patient();
      const store = new CounterStore();
      const tracker = new StatsTracker(store, { users: ["alice"] });
      const routed = new Router({ final, tracker }).route(request);
      const signal = await dialled;
      far.write(Buffer.alloc(sent));
      await turns(5);
      assert.equal(signal.aborted, false);
      leave(far);
      await routed;
      assert.equal(signal.aborted, true);
      assert.deepEqual(answers, []);
      assert.deepEqual(valuesIn(store), {
        "user>>>alice>>>traffic>>>uplink": 0n,
        "user>>>alice>>>traffic>>>downlink": 0n,
      });
    });
  }

  for (const protocol of proxyProtocols) {
    it(`is given up when a client of ${protocol} resets`, io, async (t) => {
      const { final, dialled } = patient();
      const { proxy, logger } = await startProxy(t, { final });
      const client = await connectTo(t, proxy);
      client.write(heads[protocol]);
      const signal = await dialled;
      client.resetAndDestroy();
      await until(() => signal.aborted);
      assert.deepEqual(logger.messages("error"), []);
    });
  }

  it("is given up when a client resets that nobody has read from yet", io, async (t) => {
    const { request, far } = await fakeRequest(t, undefined, { pauseOnConnect: true });
    const { final, dialled } = patient();
    const routed = new Router({ final, tracker: noTracker }).route(request);
    const signal = await dialled;
    far.resetAndDestroy();
    await routed;
    assert.equal(signal.aborted, true);
  });

  it("is given up when the client had gone before", io, async (t) => {
    const { request, answers } = await fakeRequest(t);
    request.client.destroy();
    await closed(request.client);
    let wasAborted: boolean | undefined;
    const final = outboundWith(async (_, { signal } = {}) => {
      wasAborted = signal?.aborted;
      return Promise.reject(new DialError("aborted", "given up"));
    });
    await new Router({ final, tracker: noTracker }).route(request);
    assert.equal(wasAborted, true);
    assert.deepEqual(answers, []);
  });

  it("leaves no connection open that came although the client had gone", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const target = await startDestination(t);
    const real = new DirectOutbound({ tag: "out" });
    const store = new CounterStore();
    const final = outboundWith(async () => {
      // Deaf to its signal, and late.
      far.resetAndDestroy();
      await closed(request.client);
      return real.dial(target.endpoint);
    });
    const tracker = new StatsTracker(store, { users: ["alice"] });
    const routed = new Router({ final, tracker }).route(request);
    const remote = await target.accept();
    remote.resume();
    await routed;
    await closed(remote.end());
    assert.deepEqual(Object.values(valuesIn(store)), [0n, 0n]);
  });

  it("goes on when the client has only ended its own direction", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const [near, remote] = duplexPair();
    let open = (): void => undefined;
    const dial: Dial = async (_, { signal } = {}) =>
      new Promise((resolve) => {
        open = () => {
          assert.equal(signal?.aborted, false);
          resolve({ connection: near, boundTo });
        };
      });
    const routed = new Router({ final: outboundWith(dial), tracker: noTracker }).route(request);
    far.end("question");
    await turns(10);
    open();
    assert.equal((await readAll(remote)).toString(), "question");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
  });

  it("leaves no listener on the client", io, async (t) => {
    const { request } = await fakeRequest(t);
    const before = request.client.listenerCount("close");
    const final = outboundWith(async () => Promise.reject(new DialError("refused", "no")));
    const { client } = request;
    await new Router({ final, tracker: noTracker }).route({ ...request, reject: () => undefined });
    assert.equal(client.listenerCount("close"), before);
  });
});

describe("Router's relay", () => {
  for (const protocol of proxyProtocols) {
    it(`passes the client's end on and the late answer back, over ${protocol}`, io, async (t) => {
      const { client, remote, values } = await startTunnel(t, protocol);
      client.end("question");
      assert.equal((await readAll(remote)).toString(), "question");
      const answer = createRandom(2).bytes(500_000);
      remote.end(answer);
      assert.equal(sha256(await readAll(client)), sha256(answer));
      await until(() => client.closed && remote.closed);
      assert.deepEqual(values(), [8n, 500_000n]);
    });

    it(`passes the destination's end on and the late question to it, over ${protocol}`, io, async (t) => {
      const { client, remote, values } = await startTunnel(t, protocol);
      remote.end("answer");
      assert.equal((await readAll(client)).toString(), "answer");
      const question = createRandom(2).bytes(500_000);
      client.end(question);
      assert.equal(sha256(await readAll(remote)), sha256(question));
      await until(() => client.closed && remote.closed);
      assert.deepEqual(values(), [500_000n, 6n]);
    });

    for (const sent of [0, 1, 1_000, 100_000]) {
      it(`passes the client's reset after ${sent} bytes on as one, over ${protocol}`, io, async (t) => {
        const { client, remote } = await startTunnel(t, protocol);
        const ending = endingOf(remote);
        remote.resume();
        await resetAfter(client, sent);
        assert.notEqual(await ending, "end");
      });

      it(`passes the destination's reset after ${sent} bytes on as one, over ${protocol}`, io, async (t) => {
        const { client, remote } = await startTunnel(t, protocol);
        const ending = endingOf(client);
        client.resume();
        await resetAfter(remote, sent);
        assert.notEqual(await ending, "end");
      });
    }
  }
});

/** Resets right behind the bytes, once the kernel has taken them. */
async function resetAfter(socket: Socket, bytes: number): Promise<void> {
  if (bytes > 0) await new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve));
  socket.resetAndDestroy();
}

interface StartProxyOptions {
  readonly final?: Outbound;
  readonly tracker?: ConnectionTracker;
}

/** A mixed inbound and a router. */
async function startProxy(
  t: TestContext,
  { final = new DirectOutbound({ tag: "out" }), tracker = noTracker }: StartProxyOptions = {},
): Promise<{ readonly proxy: Endpoint; readonly logger: RecordingLogger }> {
  const logger = new RecordingLogger();
  const router = new Router({ final, tracker, logger });
  const listen = { host: "127.0.0.1", port: 0 };
  const inbound = new MixedInbound({
    tag: "in",
    listen,
    onRequest: async (request) => router.route(request),
  });
  closeAfter(t, inbound);
  return { proxy: await inbound.start(), logger };
}

/** A connection through a proxy that stands: its two far ends, and its counters, up and down. */
async function startTunnel(
  t: TestContext,
  protocol: (typeof proxyProtocols)[number],
): Promise<{ readonly client: Socket; readonly remote: Socket; readonly values: () => readonly bigint[] }> {
  const store = new CounterStore();
  const { proxy } = await startProxy(t, { tracker: new StatsTracker(store, { inbounds: ["in"] }) });
  const target = await startDestination(t);
  const client = await openTunnel(t, { protocol, proxy, destination: target.endpoint });
  return { client, remote: await target.accept(), values: () => Object.values(valuesIn(store)) };
}
