import assert from "node:assert/strict";
import type { ServerOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { countConnection } from "../../src/net/counting-connection.js";
import { DialError, ownListenerError, type DialErrorCode } from "../../src/net/dial-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import { createPipe } from "../../src/net/pipe.js";
import { DirectOutbound } from "../../src/proxy/direct/direct-outbound.js";
import type { ProxyRequest } from "../../src/proxy/inbound.js";
import type { BlockOutbound, DialingOutbound, Outbound } from "../../src/proxy/outbound.js";
import { ProxyInbound } from "../../src/proxy/proxy-inbound.js";
import type { Rejection } from "../../src/proxy/rejection.js";
import { Router, type RouterOptions } from "../../src/proxy/router.js";
import { Routes, type RoutesOptions } from "../../src/proxy/routes.js";
import { Rule } from "../../src/proxy/rules/rule.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import {
  chainTrackers,
  type ConnectionMetadata,
  type ConnectionTracker,
} from "../../src/track/connection-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { startDestination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { connectHead } from "../helpers/http-client.js";
import { askProxy, connectTo, openTunnel, proxyProtocols } from "../helpers/proxy.js";
import { MemoryOutbound } from "../helpers/memory-outbound.js";
import { createRandom } from "../helpers/random.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter, socketPair } from "../helpers/sockets.js";
import { askSocks4 } from "../helpers/socks4-client.js";
import { socks5Greeting, socks5Request } from "../helpers/socks5-client.js";
import { createTallies } from "../helpers/tally.js";
import { closed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const destination = { host: "example.com", port: 443 };
const source = { host: "192.0.2.7", port: 50_000 };
const boundTo = { host: "192.0.2.1", port: 1080 };
const noTracker = chainTrackers([]);

const block: BlockOutbound = { tag: "block", blocks: true };

type Dial = DialingOutbound["dial"];

function outboundWith(dial: Dial): Outbound {
  return { tag: "out", blocks: false, dial };
}

/** A request that notes what it is told, and its client's two ends. */
interface FakeRequest {
  readonly request: ProxyRequest;
  /** The far end, in the client's hands. */
  readonly far: Socket;
  readonly answers: readonly (Endpoint | Rejection)[];
}

async function fakeRequest(t: TestContext, user?: string, options: ServerOpts = {}): Promise<FakeRequest> {
  const { client: far, server: client } = await socketPair(t, options);
  const answers: (Endpoint | Rejection)[] = [];
  const request: ProxyRequest = {
    inbound: "in",
    client,
    user,
    source,
    destination,
    accept: (at) => answers.push(at),
    reject: (rejection) => {
      answers.push(rejection);
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

  routedPacketConnection(connection: PacketConnection): PacketConnection {
    return connection;
  }
}

/** A router with routes of its own. */
function createRouter({
  rules = [],
  final,
  ...options
}: RoutesOptions & Omit<RouterOptions, "routes">): Router {
  return new Router({ routes: new Routes({ rules, final }), ...options });
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
      await createRouter({ final: outboundWith(dial), tracker }).route(request);
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
    await createRouter({ final: outboundWith(dial), tracker }).route(request);
    assert.deepEqual(order, ["track", "dial example.com:443"]);
  });

  it("answers with the outbound's end of the connection, and only then", io, async (t) => {
    const { request, far, answers } = await fakeRequest(t);
    const [near, remote] = createPipe();
    let open = (): void => undefined;
    const dial: Dial = async () =>
      new Promise((resolve) => {
        open = () => {
          resolve({ connection: near, boundTo });
        };
      });
    const routed = createRouter({ final: outboundWith(dial), tracker: noTracker }).route(request);
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
    const [near, remote] = createPipe();
    request.client.unshift(Buffer.from("head"));
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = createRouter({ final, tracker }).route(request);
    far.end("body");
    assert.equal((await readAll(remote)).toString(), "headbody");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
    assert.deepEqual([up.bytes, down.bytes], [8, 6]);
  });

  it("wraps nothing for a tracker that says who is to be told, and asks before it dials", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const { up, down, sinks } = createTallies();
    const asked: ConnectionMetadata[] = [];
    const wrapping = new FakeTracker();
    const tracker = Object.assign(wrapping, {
      routedSinks: (metadata: ConnectionMetadata) => {
        asked.push(metadata);
        return sinks;
      },
    });
    const [near, remote] = createPipe();
    const final = outboundWith(async () => {
      assert.equal(asked.length, 1);
      return Promise.resolve({ connection: near, boundTo });
    });
    request.client.unshift(Buffer.from("head"));
    const routed = createRouter({ final, tracker }).route(request);
    far.end("body");
    assert.equal((await readAll(remote)).toString(), "headbody");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
    assert.deepEqual([up.bytes, down.bytes, wrapping.calls.length, asked.length], [8, 6, 0, 1]);
    assert.deepEqual([asked[0]?.outbound, asked[0]?.destination], ["out", destination]);
  });

  it("relays through a tracker's wrapper that is not ours, and counts beneath it", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const { up, down, sinks } = createTallies();
    const [near, remote] = createPipe();
    const [inner, outer] = createPipe();
    // Somebody's wrapper: what is read from it is what came from the client, in capitals.
    const strange: ConnectionTracker = {
      routedConnection: <C extends Duplex>(connection: C): C => {
        connection.on("data", (chunk: Buffer) => inner.write(chunk.toString().toUpperCase()));
        connection.on("end", () => inner.end());
        inner.pipe(connection);
        return outer as C;
      },
      routedPacketConnection: (connection) => connection,
    };
    const counting = new FakeTracker((connection) => countConnection(connection, sinks));
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = createRouter({ final, tracker: chainTrackers([counting, strange]) }).route(request);
    far.end("quiet");
    assert.equal((await readAll(remote)).toString(), "QUIET");
    remote.end("answer");
    assert.equal((await readAll(far)).toString(), "answer");
    await routed;
    assert.deepEqual([up.bytes, down.bytes], [5, 6]);
  });

  it("logs what a connection was when it is over, and to who looks closer that it began", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const logger = new RecordingLogger();
    const [near, remote] = createPipe();
    const final = outboundWith(async () => Promise.resolve({ connection: near, boundTo }));
    const routed = createRouter({ final, tracker: noTracker, logger }).route(request);
    far.end("abc");
    far.resume();
    remote.end("hello");
    remote.resume();
    await routed;
    const fields = {
      id: 1,
      inbound: "in",
      outbound: "out",
      user: "alice",
      network: "tcp",
      rule: "final",
      source: "192.0.2.7:50000",
      destination: "example.com:443",
    };
    const [opened, end, ...others] = logger.lines;
    assert.deepEqual(opened, { level: "debug", message: "connection opened", fields });
    assert.deepEqual([end?.level, end?.message], ["info", "connection closed"]);
    const { duration_ms, ...rest } = end?.fields ?? {};
    assert.ok(Number.isSafeInteger(duration_ms));
    assert.deepEqual(rest, { ...fields, uplink_bytes: 3, downlink_bytes: 5 });
    assert.deepEqual(others, []);
  });

  it("leaves zeros behind when the dial is refused", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["in"], outbounds: ["out"], users: ["alice"] });
    const final = outboundWith(async () => Promise.reject(new DialError("refused", "no")));
    far.write("eager");
    await createRouter({ final, tracker }).route(request);
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

describe("Router's rules", () => {
  /** What a router with these rules does for one request. */
  async function chosenFor(
    t: TestContext,
    asked: Pick<ProxyRequest, "inbound" | "user">,
  ): Promise<{
    readonly dialled: readonly string[];
    readonly logger: RecordingLogger;
    readonly facts: unknown;
  }> {
    const dialled: string[] = [];
    const outbound = (tag: string): Outbound => ({
      tag,
      blocks: false,
      dial: async () => {
        dialled.push(tag);
        return Promise.reject(new DialError("refused", "no"));
      },
    });
    const rules = [
      new Rule({ inbounds: ["guests"], users: ["alice"], outbound: outbound("first") }),
      new Rule({ users: ["alice", "bob"], outbound: outbound("second") }),
      new Rule({ inbounds: ["guests"], outbound: outbound("third") }),
      new Rule({ users: ["alice"], outbound: outbound("never") }),
    ];
    const logger = new RecordingLogger();
    const tracker = new FakeTracker();
    const router = createRouter({ rules, final: outbound("final"), tracker, logger });
    const { request } = await fakeRequest(t);
    await router.route({ ...request, ...asked });
    const facts = tracker.calls.map(({ metadata }) => [metadata.outbound, metadata.rule]);
    return { dialled, logger, facts };
  }

  const cases: readonly (readonly [
    inbound: string,
    user: string | undefined,
    outbound: string,
    rule: string,
  ])[] = [
    ["guests", "alice", "first", "rules[0]"],
    ["home", "alice", "second", "rules[1]"],
    ["guests", "bob", "second", "rules[1]"],
    ["guests", "carol", "third", "rules[2]"],
    ["guests", undefined, "third", "rules[2]"],
    ["home", "carol", "final", "final"],
    ["home", undefined, "final", "final"],
  ];
  for (const [inbound, user, outbound, rule] of cases) {
    it(`send ${String(user)} at ${inbound} to ${outbound}, and nowhere else`, io, async (t) => {
      const { dialled, logger, facts } = await chosenFor(t, { inbound, user });
      assert.deepEqual(dialled, [outbound]);
      assert.deepEqual(facts, [[outbound, rule]]);
      const [line] = logger.lines;
      assert.deepEqual(
        [line?.message, line?.fields?.["outbound"], line?.fields?.["rule"]],
        ["connection opened", outbound, rule],
      );
    });
  }

  it("are none by default", io, async (t) => {
    const { request } = await fakeRequest(t, "alice");
    const tracker = new FakeTracker();
    const final = outboundWith(async () => Promise.reject(new DialError("refused", "no")));
    await createRouter({ rules: [], final, tracker }).route(request);
    await createRouter({ final, tracker }).route(request);
    assert.deepEqual(
      tracker.calls.map(({ metadata }) => metadata.rule),
      ["final", "final"],
    );
  });
});

describe("Router's block", () => {
  const blocks: readonly (readonly [
    title: string,
    rules: readonly Rule[],
    final: (dial: Dial) => Outbound,
    rule: string,
  ])[] = [
    ["by a rule", [new Rule({ users: ["alice"], outbound: block })], outboundWith, "rules[0]"],
    [
      "by the second rule",
      [new Rule({ users: ["bob"], outbound: block }), new Rule({ inbounds: ["in"], outbound: block })],
      outboundWith,
      "rules[1]",
    ],
    ["at the end", [], () => block, "final"],
  ];
  for (const [title, rules, final, rule] of blocks) {
    it(`${title} is told to the client once, and neither tracked nor dialled`, io, async (t) => {
      const { request, answers } = await fakeRequest(t, "alice");
      let dials = 0;
      const dial: Dial = async () => {
        dials++;
        return Promise.reject(new DialError("refused", "no"));
      };
      const tracker = new FakeTracker();
      await createRouter({ rules, final: final(dial), tracker }).route(request);
      assert.deepEqual(answers, [{ code: "blocked", message: "blocked by the proxy's rules" }]);
      assert.deepEqual([tracker.calls.length, dials], [0, 0]);
    });

    it(`${title} is one line in the log, with all facts`, io, async (t) => {
      const { request } = await fakeRequest(t, "alice");
      const logger = new RecordingLogger();
      const dial: Dial = async () => Promise.reject(new DialError("refused", "no"));
      await createRouter({ rules, final: final(dial), tracker: noTracker, logger }).route(request);
      const fields = {
        inbound: "in",
        outbound: "block",
        user: "alice",
        network: "tcp",
        rule,
        source: "192.0.2.7:50000",
        destination: "example.com:443",
      };
      const nothing = { id: 1, duration_ms: 0, uplink_bytes: 0, downlink_bytes: 0 };
      assert.deepEqual(logger.lines, [
        { level: "info", message: "connection blocked", fields: { ...fields, ...nothing } },
      ]);
    });
  }

  it("creates no counter", io, async (t) => {
    const { request, far } = await fakeRequest(t, "alice");
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["in"], outbounds: ["block"], users: ["alice"] });
    far.write("eager");
    await createRouter({ final: block, tracker }).route(request);
    assert.equal(store.size, 0);
  });

  it("is what an outbound for packets only does with connections", io, async (t) => {
    const { request, answers } = await fakeRequest(t, "alice");
    const tracker = new FakeTracker();
    const logger = new RecordingLogger();
    await createRouter({ final: new MemoryOutbound(), tracker, logger }).route(request);
    assert.deepEqual(answers, [{ code: "blocked", message: "blocked by the proxy's rules" }]);
    assert.deepEqual(tracker.calls, []);
    assert.deepEqual(
      logger.lines.map(({ message }) => message),
      ["connection blocked"],
    );
  });

  it("leaves those alone whom no rule names", io, async (t) => {
    const { request, answers } = await fakeRequest(t, "carol");
    const rules = [new Rule({ users: ["alice"], outbound: block })];
    const final = outboundWith(async () => Promise.reject(new DialError("refused", "no")));
    await createRouter({ rules, final, tracker: noTracker }).route(request);
    assert.deepEqual(answers, [
      { code: "refused", message: "connect to example.com:443: connection refused" },
    ]);
  });

  const replies = { socks5: 2, http: 403 };
  for (const protocol of proxyProtocols) {
    it(`is ${replies[protocol]} in ${protocol}, and the end`, io, async (t) => {
      const { proxy } = await startProxy(t, { final: block });
      const { client, answer } = await askProxy(t, { protocol, proxy, destination });
      assert.equal(answer, replies[protocol]);
      client.resume();
      await closed(client.end());
    });
  }

  it("is 5B in SOCKS4, and the end", io, async (t) => {
    const { proxy } = await startProxy(t, { final: block });
    const client = await connectTo(t, proxy);
    assert.equal((await askSocks4(client, destination)).reply, 0x5b);
    client.resume();
    await closed(client.end());
  });
});

describe("Router's refusal", () => {
  const reasons: readonly (readonly [code: DialErrorCode, reason: string])[] = [
    ["blocked", "not allowed by a proxy on the way"],
    ["refused", "connection refused"],
    ["network-unreachable", "network unreachable"],
    ["host-unreachable", "host unreachable"],
    ["unresolved", "its name has no address"],
    ["timeout", "no answer in time"],
    ["failed", "no connection came about"],
  ];
  for (const [code, reason] of reasons) {
    it(`tells the client of a dial that is ${code}, once, and only the log how`, io, async (t) => {
      const { request, answers } = await fakeRequest(t);
      const logger = new RecordingLogger();
      const final = outboundWith(async () => Promise.reject(new DialError(code, `connect: ${code}`)));
      await createRouter({ final, tracker: noTracker, logger }).route(request);
      assert.deepEqual(answers, [{ code, message: `connect to example.com:443: ${reason}` }]);
      assert.deepEqual(logger.failures(), [`connect: ${code}`]);
      assert.deepEqual(logger.messages("error"), []);
    });
  }

  it("tells the client no more of where we listen ourselves than of what a rule blocks", io, async (t) => {
    const { request, answers } = await fakeRequest(t);
    const blocked = await fakeRequest(t);
    const logger = new RecordingLogger();
    const final = outboundWith(async () => Promise.reject(ownListenerError({ host: "::1", port: 1 })));
    await createRouter({ final, tracker: noTracker, logger }).route(request);
    await createRouter({ final: { tag: "no", blocks: true }, tracker: noTracker }).route(blocked.request);
    assert.deepEqual(answers, blocked.answers);
    assert.deepEqual(logger.messages("info"), ["connection blocked"]);
    assert.equal(logger.lines.at(-1)?.fields?.["reason"], "the proxy itself listens on [::1]:1");
  });

  it("closes without an answer when the dial was given up", io, async (t) => {
    const { request, answers } = await fakeRequest(t);
    const final = outboundWith(async () => Promise.reject(new DialError("aborted", "given up")));
    await createRouter({ final, tracker: noTracker }).route(request);
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
      await createRouter({ final, tracker, logger }).route(request);
      far.resume();
      await closed(far.end());
      assert.equal(request.client.destroyed, true);
      assert.deepEqual([logger.failures(), logger.messages("error").length], [[message], 1]);
      assert.deepEqual([answers.length, dials, tracker.calls.length], [0, 0, 1]);
    });

    it(`is a closed connection and an error line when the outbound throws ${title}`, io, async (t) => {
      const { request, answers } = await fakeRequest(t);
      const logger = new RecordingLogger();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever somebody's code throws
      const final = outboundWith(async () => Promise.reject(thrown));
      await createRouter({ final, tracker: noTracker, logger }).route(request);
      assert.equal(request.client.destroyed, true);
      assert.deepEqual([logger.failures(), logger.messages("error").length], [[message], 1]);
      assert.deepEqual(answers, []);
    });
  }

  const table: readonly (readonly [code: DialErrorCode, reply: number, status: number])[] = [
    ["own-listener", 2, 403],
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
      const routed = createRouter({ final, tracker }).route(request);
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
    const routed = createRouter({ final, tracker: noTracker }).route(request);
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
    await createRouter({ final, tracker: noTracker }).route(request);
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
    const routed = createRouter({ final, tracker }).route(request);
    const remote = await target.accept();
    remote.resume();
    await routed;
    await closed(remote.end());
    assert.deepEqual(Object.values(valuesIn(store)), [0n, 0n]);
  });

  it("goes on when the client has only ended its own direction", io, async (t) => {
    const { request, far } = await fakeRequest(t);
    const [near, remote] = createPipe();
    let open = (): void => undefined;
    const dial: Dial = async (_, { signal } = {}) =>
      new Promise((resolve) => {
        open = () => {
          assert.equal(signal?.aborted, false);
          resolve({ connection: near, boundTo });
        };
      });
    const routed = createRouter({ final: outboundWith(dial), tracker: noTracker }).route(request);
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
    await createRouter({ final, tracker: noTracker }).route({ ...request, reject: () => undefined });
    assert.equal(client.listenerCount("close"), before);
  });
});

describe("Router's relay", () => {
  it("carries what a client of SOCKS4 and its destination say", io, async (t) => {
    const { proxy } = await startProxy(t);
    const target = await startDestination(t);
    const client = await connectTo(t, proxy);
    const { reply, boundTo: end } = await askSocks4(client, target.endpoint);
    const remote = await target.accept();
    assert.deepEqual([reply, end], [0x5a, { host: "127.0.0.1", port: remote.remotePort }]);
    client.end("question");
    assert.equal((await readAll(remote)).toString(), "question");
    remote.end("answer");
    assert.equal((await readAll(client)).toString(), "answer");
  });

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
  const router = createRouter({ final, tracker, logger });
  const listen = { host: "127.0.0.1", port: 0 };
  const inbound = new ProxyInbound({
    tag: "in",
    type: "mixed",
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
