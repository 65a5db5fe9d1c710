import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, it, type TestContext } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { Counter } from "../../src/stats/counter.js";
import { count, paths, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { envelope, getStatsRequest, queryStatsRequest } from "../helpers/grpc.js";
import { hangUpsOverHttp2, type HangUp } from "../helpers/hang-ups.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  sendHttp1,
  sendHttp2,
  type HttpRequest,
  type SendRequest,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import type { Port } from "../helpers/tls-port.js";
import { closed, turns, until } from "../helpers/timing.js";

const name = userUplink("alice");

interface Protocol {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly query?: string;
  readonly getBody: () => string | Uint8Array;
  readonly queryBody: () => string | Uint8Array;
}

const connect: Protocol = {
  protocol: "Connect",
  headers: { "content-type": "application/json" },
  getBody: () => JSON.stringify({ name, reset: true }),
  queryBody: () => JSON.stringify({ reset: true }),
};
const grpcWeb: Protocol = {
  protocol: "gRPC-Web",
  headers: { "content-type": "application/grpc-web+proto" },
  getBody: () => envelope(getStatsRequest({ name, reset: true })),
  queryBody: () => envelope(queryStatsRequest({ reset: true })),
};
const grpc: Protocol = {
  ...grpcWeb,
  protocol: "gRPC",
  headers: { "content-type": "application/grpc", te: "trailers" },
};

const grpcWebText: Protocol = {
  protocol: "gRPC-Web's text form",
  headers: { "content-type": "application/grpc-web-text" },
  getBody: () => envelope(getStatsRequest({ name, reset: true })).toString("base64"),
  queryBody: () => envelope(queryStatsRequest({ reset: true })).toString("base64"),
};

const connectBinary: Protocol = {
  protocol: "Connect's binary form",
  headers: { "content-type": "application/proto" },
  getBody: () => getStatsRequest({ name, reset: true }),
  queryBody: () => queryStatsRequest({ reset: true }),
};

/** The same with a query, which keeps it from the shorter way, on which calls in binary are served. */
function byRouter(protocol: Protocol): Protocol {
  return { ...protocol, protocol: `${protocol.protocol} by the router`, query: "?by=router" };
}

const everyHttp1Protocol = [connect, connectBinary, grpcWeb, byRouter(grpcWeb), grpcWebText];
const everyHttp2Protocol = [...everyHttp1Protocol, grpc, byRouter(grpc)];

function getReset({ headers, query = "", getBody }: Protocol): HttpRequest {
  return { path: `${paths.getStats}${query}`, headers, body: getBody() };
}

function queryReset({ headers, query = "", queryBody }: Protocol): HttpRequest {
  return { path: `${paths.queryStats}${query}`, headers, body: queryBody() };
}

/** Few enough counters to be quick, with names so long that no socket buffers hold the list: 14 MB. */
function fillBeyondSocketBuffers({ store }: TestApi): number {
  const counterCount = 3_500;
  const padding = "x".repeat(4_000);
  for (let index = 0; index < counterCount; index++)
    count(store, userUplink(`${padding}${index}`), index + 1);
  return counterCount;
}

function sumOf({ store }: TestApi): bigint {
  return Object.values(valuesOf(store)).reduce((sum, value) => sum + value, 0n);
}

/** Waits until every connection has ended by itself. */
async function drained({ server }: TestApi): Promise<void> {
  await server.stop(new AbortController().signal);
  await turns(3);
}

/** What carries the answers: cleartext, or TLS. */
export interface DeliveryCarrier {
  /** Behind the names of the suites. */
  readonly under: string;
  /** What a server does with a connection. */
  readonly secure?: (socket: Socket) => Promise<TLSSocket>;
  /** How a client reaches a port of the server. */
  readonly toPort: (port: number) => Port;
  readonly apiOptions?: Partial<ApiServerOptions>;
  /** How often one way is tried that never fails. */
  readonly roundCount: number;
  /** The protocols that are tried, by their names. Default: all. */
  readonly protocols?: readonly string[];
}

/** What holds of the delivery of answers, whatever carries them. */
export function describeDelivery({
  under,
  secure,
  toPort,
  apiOptions,
  roundCount,
  protocols,
}: DeliveryCarrier): void {
  const isTried = ({ protocol }: Protocol): boolean => protocols?.includes(protocol) !== false;
  const http1Protocols = everyHttp1Protocol.filter(isTried);
  const http2Protocols = everyHttp2Protocol.filter(isTried);
  const everyWay: readonly (Protocol & { readonly version: string; readonly send: SendRequest })[] = [
    ...http1Protocols.map((protocol) => ({ ...protocol, version: "HTTP/1.1", send: sendHttp1 })),
    ...http2Protocols.map((protocol) => ({ ...protocol, version: "HTTP/2", send: sendHttp2 })),
  ];
  const startOn = async (t: TestContext): Promise<TestApi> => startApi(t, apiOptions);
  const portOf = ({ port }: TestApi): Port => toPort(port);

  describe(`delivery of an answer that the client reads${under}`, { timeout: 30_000 }, () => {
    for (const way of everyWay) {
      it(`is never taken back, though the client hangs up at once: ${way.protocol} over ${way.version}`, async (t) => {
        const api = await startOn(t);
        const counter = count(api.store, name, 0);
        for (let round = 0; round < roundCount; round++) {
          counter.add(1_000);
          const { status } = await way.send(portOf(api), getReset(way));
          assert.equal(status, 200);
        }
        await drained(api);
        assert.equal(counter.value, 0n);
        assert.equal(counter.total, BigInt(roundCount) * 1_000n);
      });
    }

    it("is never taken back when it is long and read slowly", async (t) => {
      const api = await startOn(t);
      fillBeyondSocketBuffers(api);
      for (const { send, ...protocol } of [
        { ...connect, send: sendHttp1 },
        { ...connectBinary, send: sendHttp1 },
        { ...grpc, send: sendHttp2 },
        { ...byRouter(grpc), send: sendHttp2 },
      ]) {
        for (const { counter } of api.store.query(() => true)) counter.add(1);
        const { status, body } = await send(portOf(api), queryReset(protocol));
        assert.equal(status, 200);
        assert.ok(body.length > 10_000_000);
      }
      await drained(api);
      assert.equal(sumOf(api), 0n);
    });

    it("is never taken back when the server is stopped right after it", async (t) => {
      const api = await startOn(t);
      const counter = count(api.store, name, 500);
      const session = openSession(t, portOf(api));
      const stream = openStream(session, getReset(grpc));
      stream.end(grpc.getBody());
      await readAnswer(stream);
      await api.server.stop(AbortSignal.abort());
      await turns(3);
      assert.equal(counter.value, 0n);
    });

    it("leaves what was counted meanwhile alone", async (t) => {
      const api = await startOn(t);
      const counter = count(api.store, name, 500);
      await sendHttp2(portOf(api), getReset(connect));
      counter.add(7);
      await drained(api);
      assert.equal(counter.value, 7n);
    });
  });

  describe(`delivery of an answer that is stuck${under}`, { timeout: 60_000 }, () => {
    for (const protocol of http1Protocols) {
      it(`gives every byte back when the client leaves: ${protocol.protocol} over HTTP/1.1`, async (t) => {
        const api = await startOn(t);
        const counterCount = fillBeyondSocketBuffers(api);
        const before = sumOf(api);
        const { socket } = await openRaw(t, portOf(api), http1Text(queryReset(protocol)));
        await once(socket, "data");
        socket.pause();
        assert.equal(sumOf(api), 0n);
        socket.resetAndDestroy();
        await until(() => sumOf(api) === before);
        await drained(api);
        assert.equal(sumOf(api), before);
        assert.equal(before, (BigInt(counterCount) * BigInt(counterCount + 1)) / 2n);
      });
    }

    for (const protocol of http2Protocols) {
      for (const { how, code } of [
        { how: "cancels", code: constants.NGHTTP2_CANCEL },
        { how: "takes it for a protocol error", code: constants.NGHTTP2_PROTOCOL_ERROR },
        { how: "closes the stream without a reason", code: constants.NGHTTP2_NO_ERROR },
      ]) {
        it(`gives every byte back when the client ${how}: ${protocol.protocol} over HTTP/2`, async (t) => {
          const api = await startOn(t);
          const counter = count(api.store, name, 1_234);
          const session = openSession(t, portOf(api), { initialWindowSize: 0 });
          const stream = openStream(session, getReset(protocol));
          stream.on("error", () => undefined);
          stream.end(protocol.getBody());
          await once(stream, "response");
          assert.equal(counter.value, 0n);
          counter.add(1);
          stream.close(code);
          await until(() => counter.value === 1_235n);
          session.close();
          await drained(api);
          assert.equal(counter.value, 1_235n);
        });
      }

      it(`gives every byte back when the connection is lost: ${protocol.protocol} over HTTP/2`, async (t) => {
        const api = await startOn(t);
        const counter = count(api.store, name, 1_234);
        const session = openSession(t, portOf(api), { initialWindowSize: 0 });
        const stream = openStream(session, getReset(protocol));
        stream.on("error", () => undefined);
        stream.end(protocol.getBody());
        await once(stream, "response");
        assert.equal(counter.value, 0n);
        session.destroy();
        await until(() => counter.value === 1_234n);
        await drained(api);
        assert.equal(counter.value, 1_234n);
      });
    }

    it("gives every byte back when only its beginning was read", async (t) => {
      const api = await startOn(t);
      fillBeyondSocketBuffers(api);
      const before = sumOf(api);
      const session = openSession(t, portOf(api), { initialWindowSize: 65_535 });
      const stream = openStream(session, queryReset(grpc));
      stream.on("error", () => undefined);
      stream.end(grpc.queryBody());
      await once(stream, "data");
      stream.pause();
      assert.equal(sumOf(api), 0n);
      session.destroy();
      await until(() => sumOf(api) === before);
      await drained(api);
      assert.equal(sumOf(api), before);
    });

    for (const { version, open } of [
      {
        version: "HTTP/1.1",
        open: async (t: TestContext, api: TestApi): Promise<void> => {
          const { socket } = await openRaw(t, portOf(api), http1Text(queryReset(connect)));
          await once(socket, "data");
          socket.pause();
        },
      },
      {
        version: "HTTP/2",
        open: async (t: TestContext, api: TestApi): Promise<void> => {
          const session = openSession(t, portOf(api), { initialWindowSize: 0 });
          const stream = openStream(session, queryReset(grpc));
          stream.on("error", () => undefined);
          stream.end(grpc.queryBody());
          await once(stream, "response");
        },
      },
    ]) {
      it(`gives every byte back when the server cuts the connection: ${version}`, async (t) => {
        const api = await startOn(t);
        fillBeyondSocketBuffers(api);
        const before = sumOf(api);
        await open(t, api);
        assert.equal(sumOf(api), 0n);
        await api.server.stop(AbortSignal.abort());
        await until(() => sumOf(api) === before);
        await turns(3);
        assert.equal(sumOf(api), before);
      });
    }
  });

  describe(`delivery of pipelined answers${under}`, { timeout: 30_000 }, () => {
    it("gives back those that wait behind a stuck one, and the stuck one", async (t) => {
      const api = await startOn(t);
      const alice = count(api.store, name, 77);
      fillBeyondSocketBuffers(api);
      const before = sumOf(api);
      const stuck = { ...queryReset(connect), body: JSON.stringify({ patterns: ["xxx"], reset: true }) };
      const { socket } = await openRaw(t, portOf(api), http1Text(stuck), http1Text(getReset(connect)));
      await once(socket, "data");
      socket.pause();
      await until(() => sumOf(api) === 0n);
      alice.add(3);
      socket.resetAndDestroy();
      await until(() => sumOf(api) === before + 3n);
      await drained(api);
      assert.equal(sumOf(api), before + 3n);
      assert.equal(alice.value, 80n);
    });

    it("keeps those that came before the stuck one", async (t) => {
      const api = await startOn(t);
      const alice = count(api.store, name, 77);
      fillBeyondSocketBuffers(api);
      const before = sumOf(api);
      const raw = await openRaw(t, portOf(api), http1Text(getReset(connect)), http1Text(queryReset(connect)));
      await raw.received("HTTP/1.1 200", 2);
      raw.socket.pause();
      assert.match(raw.text, /"value":"77"/);
      assert.equal(sumOf(api), 0n);
      raw.socket.resetAndDestroy();
      await until(() => sumOf(api) === before - 77n);
      await drained(api);
      assert.equal(sumOf(api), before - 77n);
      assert.equal(alice.value, 0n);
    });

    it("serves any number of them without a warning of Node's", async (t) => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error): unknown => warnings.push(warning);
      process.on("warning", onWarning);
      t.after(() => process.off("warning", onWarning));
      const api = await startOn(t);
      const counter = count(api.store, name, 5);
      const raw = await openRaw(t, portOf(api), http1Text(getReset(connect)).repeat(50));
      await raw.received("HTTP/1.1 200", 50);
      await turns(2);
      assert.deepEqual(warnings, []);
      assert.equal(counter.value, 0n);
    });
  });

  describe(`delivery of many answers on one connection${under}`, { timeout: 30_000 }, () => {
    it("leaves no listener behind", async (t) => {
      const sockets = new Set<Socket>();
      const calls = createCallHandler({
        routes: (router) => router.service(StatsService, { getStats: () => ({}) }),
      });
      const server = new OnePortServer({
        onRequest: (request, response) => {
          sockets.add(request.socket);
          calls.onRequest(request, response);
        },
        secure,
      });
      closeAfter(t, server);
      const port = toPort((await server.listen({ host: "127.0.0.1", port: 0 })).port);
      const raw = await openRaw(t, port);
      const listenerCounts = [];
      for (let round = 1; round <= 20; round++) {
        raw.send(http1Text(getReset(connect)));
        await raw.received("HTTP/1.1 200", round);
        await turns(2);
        listenerCounts.push(...Array.from(sockets, (socket) => socket.listenerCount("close")));
      }
      assert.equal(listenerCounts.length, 20);
      assert.equal(new Set(listenerCounts).size, 1);
    });
  });

  describe(`delivery of an answer that is not there yet${under}`, { timeout: 30_000 }, () => {
    /** A call that has reset its counter and waits at a gate before it answers. */
    class GatedCall {
      readonly counter = new Counter();
      readonly gate = new EventEmitter();
      undoCount = 0;

      constructor() {
        this.counter.add(1_000);
      }

      readonly getStats = async (_request: unknown, context: HandlerContext): Promise<object> => {
        const value = this.counter.reset();
        const takeBack = (): void => {
          this.undoCount += 1;
          this.counter.giveBack(value);
        };
        context.values.get(deliveryKey).onLost(takeBack);
        this.gate.emit("arrived");
        await once(this.gate, "open");
        this.gate.emit("left");
        return { stat: { name, value } };
      };
    }

    async function startGated(t: TestContext, call: GatedCall): Promise<Port> {
      const { onRequest } = createCallHandler({
        routes: (router) => router.service(StatsService, { getStats: call.getStats }),
      });
      const server = new OnePortServer({ onRequest, secure });
      closeAfter(t, server);
      const port = toPort((await server.listen({ host: "127.0.0.1", port: 0 })).port);
      return port;
    }

    const leavings: readonly HangUp[] = [
      {
        how: "resets its connection (HTTP/1.1)",
        start: async (t, port) => {
          const { socket } = await openRaw(t, port, http1Text(getReset(connect)));
          return () => {
            socket.resetAndDestroy();
          };
        },
      },
      {
        how: "ends its connection (HTTP/1.1)",
        start: async (t, port) => {
          const { socket } = await openRaw(t, port, http1Text(getReset(grpcWeb)));
          return () => {
            socket.end();
          };
        },
      },
      // There is one way to this call.
      ...http2Protocols
        .filter(({ query }) => query === undefined)
        .flatMap((protocol) => hangUpsOverHttp2(protocol.protocol, getReset(protocol))),
    ];
    for (const { how, start } of leavings) {
      it(`gives back once, at once, when the client ${how}`, async (t) => {
        const call = new GatedCall();
        const port = await startGated(t, call);
        const arrived = once(call.gate, "arrived");
        const leave = await start(t, port);
        await arrived;
        assert.equal(call.counter.value, 0n);
        leave();
        await until(() => call.counter.value === 1_000n);
        const left = once(call.gate, "left");
        call.gate.emit("open");
        await left;
        await turns(5);
        assert.equal(call.undoCount, 1);
        assert.equal(call.counter.value, 1_000n);
      });
    }

    for (const { version, send } of [
      { version: "HTTP/1.1", send: sendHttp1 },
      { version: "HTTP/2", send: sendHttp2 },
    ]) {
      it(`keeps what the client waited for: ${version}`, async (t) => {
        const call = new GatedCall();
        const port = await startGated(t, call);
        call.gate.once("arrived", () => setImmediate(() => call.gate.emit("open")));
        const { status, body } = await send(port, getReset(connect));
        assert.equal(status, 200);
        assert.match(body.toString(), /"1000"/);
        await turns(5);
        assert.equal(call.undoCount, 0);
      });
    }

    it("runs an undo at once that comes after the client is gone", async (t) => {
      const gate = new EventEmitter();
      let undoCount = 0;
      const { onRequest } = createCallHandler({
        routes: (router) =>
          router.service(StatsService, {
            getStats: async (_request, { values }) => {
              gate.emit("arrived");
              await once(gate, "open");
              values.get(deliveryKey).onLost(() => (undoCount += 1));
              gate.emit("asked");
              return {};
            },
          }),
      });
      const server = new OnePortServer({ onRequest, secure });
      closeAfter(t, server);
      const port = toPort((await server.listen({ host: "127.0.0.1", port: 0 })).port);
      for (const [index, start] of leavings
        .slice(0, 4)
        .map((leaving) => leaving.start)
        .entries()) {
        const arrived = once(gate, "arrived");
        const leave = await start(t, port);
        await arrived;
        const openBefore = server.connectionCount;
        leave();
        // The third only cancels and keeps its connection.
        await until(() => index === 2 || server.connectionCount < openBefore);
        await turns(20);
        const asked = once(gate, "asked");
        gate.emit("open");
        await asked;
        assert.equal(undoCount, index + 1);
      }
    });

    it("resets nothing for a client who cancelled before its call was read", async (t) => {
      const api = await startOn(t);
      const counter = count(api.store, name, 9);
      const session = openSession(t, portOf(api));
      const stream = openStream(session, getReset(grpc));
      stream.on("error", () => undefined);
      stream.write(envelope(getStatsRequest({ name, reset: true })).subarray(0, 7));
      await once(stream, "ready");
      stream.close(constants.NGHTTP2_CANCEL);
      await closed(stream);
      session.close();
      await drained(api);
      assert.equal(counter.value, 9n);
      assert.equal(counter.total, 9n);
    });

    it("counts in memory as delivered", () => {
      const undone: string[] = [];
      deliveryKey.defaultValue.onLost(() => undone.push("undone"));
      assert.deepEqual(undone, []);
    });
  });
}
