import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetStatsResponseSchema, StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { createCallHandler } from "../../../src/rpc/call-handler.js";
import type { CallContext } from "../../../src/rpc/call-context.js";
import { anybody } from "../../../src/rpc/caller.js";
import { deliveryKey } from "../../../src/rpc/delivery.js";
import { hotWritten } from "../../../src/rpc/hot/hot-method.js";
import { OnePortServer } from "../../../src/rpc/one-port-server.js";
import { Counter } from "../../../src/stats/counter.js";
import { paths } from "../../helpers/api-server.js";
import { getStatsRequest } from "../../helpers/grpc.js";
import { hangUpsOverHttp2 } from "../../helpers/hang-ups.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  versions,
  type HttpRequest,
} from "../../helpers/raw-http.js";
import { alice, connect, grpcWeb, protocols, type BinaryProtocol } from "../../helpers/same-answers.js";
import { closeAfter } from "../../helpers/sockets.js";
import { turns, until } from "../../helpers/timing.js";

function requestOf({ headers, wrap }: BinaryProtocol): HttpRequest & { readonly body: Uint8Array } {
  return { path: paths.getStats, headers, body: wrap(getStatsRequest({ name: alice, reset: true })) };
}

/** A call on the shorter way that has reset its counter, and waits at a gate before it answers. */
class GatedCall {
  readonly counter = new Counter();
  readonly gate = new EventEmitter();
  undoCount = 0;

  constructor() {
    this.counter.add(1_000);
  }

  async answer({ values }: CallContext): Promise<readonly Uint8Array[]> {
    const value = this.counter.reset();
    values.get(deliveryKey).onLost(() => {
      this.undoCount += 1;
      this.counter.giveBack(value);
    });
    this.gate.emit("arrived");
    await once(this.gate, "open");
    this.gate.emit("left");
    return [
      toBinary(GetStatsResponseSchema, create(GetStatsResponseSchema, { stat: { name: alice, value } })),
    ];
  }
}

async function start(t: TestContext, answer: (context: CallContext) => Promise<readonly Uint8Array[]>) {
  const calls = createCallHandler({
    routes: (router) => router.service(StatsService, {}),
    hotMethods: [hotWritten(StatsService.method.getStats, async (_, context) => answer(context))],
  });
  const server = new OnePortServer({
    onRequest: calls.onRequest,
    onStream: (stream, { headers }, handOver) => calls.onStream(stream, headers, () => anybody, handOver),
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port };
}

const leavings: readonly { how: string; start: (t: TestContext, port: number) => Promise<() => void> }[] = [
  ...[connect, grpcWeb].flatMap((protocol) =>
    (["end", "destroy", "resetAndDestroy"] as const).map((leave) => ({
      how: `calls ${leave}() (${protocol.protocol} over HTTP/1.1)`,
      start: async (t: TestContext, port: number) => {
        const { socket } = await openRaw(t, port, Buffer.from(http1Text(requestOf(protocol)), "latin1"));
        return () => {
          socket[leave]();
        };
      },
    })),
  ),
  ...protocols.flatMap((protocol) => hangUpsOverHttp2(protocol.protocol, requestOf(protocol))),
];

describe("delivery of an answer on the shorter way", { timeout: 30_000 }, () => {
  for (const { how, start: leaveLater } of leavings) {
    it(`gives back once, at once, when the client ${how}`, async (t) => {
      const call = new GatedCall();
      const { port } = await start(t, async (context) => call.answer(context));
      const arrived = once(call.gate, "arrived");
      const leave = await leaveLater(t, port);
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

  for (const { version, send } of versions) {
    for (const protocol of protocols) {
      it(`keeps what the client waited for: ${protocol.protocol} over ${version}`, async (t) => {
        const call = new GatedCall();
        const { server, port } = await start(t, async (context) => call.answer(context));
        call.gate.once("arrived", () => setImmediate(() => call.gate.emit("open")));
        const { status, body } = await send(port, requestOf(protocol));
        assert.equal(status, 200);
        assert.ok(body.includes(alice));
        await server.stop(new AbortController().signal);
        await turns(5);
        assert.equal(call.undoCount, 0);
      });
    }
  }

  it("runs an undo at once that comes after the client is gone", async (t) => {
    for (const [index, { start: leaveLater }] of leavings.entries()) {
      const gate = new EventEmitter();
      let undoCount = 0;
      let isGone = (): boolean => false;
      const { server, port } = await start(t, async ({ values, signal }) => {
        isGone = () => {
          try {
            signal.throwIfAborted();
            return false;
          } catch {
            return true;
          }
        };
        gate.emit("arrived");
        await once(gate, "open");
        values.get(deliveryKey).onLost(() => (undoCount += 1));
        gate.emit("asked");
        return [];
      });
      const arrived = once(gate, "arrived");
      const leave = await leaveLater(t, port);
      await arrived;
      assert.equal(isGone(), false);
      leave();
      await until(() => isGone());
      const asked = once(gate, "asked");
      gate.emit("open");
      await asked;
      await server.stop(new AbortController().signal);
      assert.equal(undoCount, 1, leavings[index]?.how);
    }
  });

  it("does not hold up the calls beside one that takes its time", async (t) => {
    const call = new GatedCall();
    const { port } = await start(t, async (context) => call.answer(context));
    const session = openSession(t, port);
    const arrived = once(call.gate, "arrived");
    const stream = openStream(session, requestOf(connect));
    stream.end(requestOf(connect).body);
    await arrived;
    const beside = openStream(session, { ...requestOf(connect), path: paths.getSysStats });
    beside.end();
    assert.equal((await readAnswer(beside)).status, 501);
    call.gate.emit("open");
    assert.equal((await readAnswer(stream)).status, 200);
  });
});
