import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { probeSession } from "../../src/rpc/http2-session-probe.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { http2Frame, http2Preface, openRaw, openSession, sendOnSession } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";

/** As much of a session as the probe looks at. */
class FakeSession {
  readonly pings: (() => void)[] = [];
  destroyed = false;

  ping(onPong: () => void): void {
    this.pings.push(onPong);
  }
}

interface Probed {
  readonly session: FakeSession;
  readonly socket: { bytesRead: number; bytesWritten: number };
  readonly probe: () => void;
  readonly probeIfHeard: () => void;
  goneCount: number;
}

function probeFake(): Probed {
  const session = new FakeSession();
  const socket = { bytesRead: 0, bytesWritten: 0 };
  const { ask, askIfHeard } = probeSession(
    session as unknown as ServerHttp2Session,
    socket as unknown as Socket,
    () => {
      probed.goneCount += 1;
    },
  );
  const probed: Probed = { session, socket, probe: ask, probeIfHeard: askIfHeard, goneCount: 0 };
  return probed;
}

describe("probeSession()", () => {
  it("asks again and again as long as it is answered", () => {
    const probed = probeFake();
    for (const round of [1, 2, 3]) {
      probed.probe();
      assert.equal(probed.session.pings.length, round);
      probed.session.pings.at(-1)?.();
    }
    assert.equal(probed.goneCount, 0);
  });

  it("tells when there was neither an answer nor a byte", () => {
    const probed = probeFake();
    probed.socket.bytesRead = 100;
    probed.probe();
    assert.equal(probed.goneCount, 0);
    probed.probe();
    assert.equal(probed.goneCount, 1);
    assert.equal(probed.session.pings.length, 1);
  });

  for (const direction of ["bytesRead", "bytesWritten"] as const) {
    it(`spares who does not answer while ${direction} grow`, () => {
      const probed = probeFake();
      for (const bytes of [1, 2, 3]) {
        probed.socket[direction] = bytes;
        probed.probe();
      }
      assert.equal(probed.goneCount, 0);
      assert.equal(probed.session.pings.length, 1);
      probed.probe();
      assert.equal(probed.goneCount, 1);
    });
  }

  it("counts a late answer", () => {
    const probed = probeFake();
    probed.probe();
    probed.socket.bytesWritten = 1;
    probed.probe();
    probed.session.pings[0]?.();
    probed.probe();
    assert.equal(probed.goneCount, 0);
    assert.equal(probed.session.pings.length, 2);
  });
});

describe("probeSession() of whoever may have said the last word", () => {
  it("asks nothing as long as nothing has come", () => {
    const probed = probeFake();
    for (let round = 0; round < 3; round++) probed.probeIfHeard();
    assert.deepEqual([probed.session.pings, probed.goneCount], [[], 0]);
  });

  it("asks once for what has come, its answer included", () => {
    const probed = probeFake();
    probed.socket.bytesRead = 100;
    probed.probeIfHeard();
    probed.socket.bytesRead += 17;
    probed.session.pings[0]?.();
    for (let round = 0; round < 3; round++) probed.probeIfHeard();
    assert.deepEqual([probed.session.pings.length, probed.goneCount], [1, 0]);
    probed.socket.bytesRead += 1;
    probed.probeIfHeard();
    assert.equal(probed.session.pings.length, 2);
  });

  it("tells when there was neither an answer nor a byte", () => {
    const probed = probeFake();
    probed.socket.bytesRead = 100;
    probed.probeIfHeard();
    probed.probeIfHeard();
    assert.equal(probed.goneCount, 1);
  });
});

describe("probeSession() of a session that is over", () => {
  it("tells at once, and asks nothing", () => {
    const probed = probeFake();
    probed.session.destroyed = true;
    probed.probe();
    assert.equal(probed.goneCount, 1);
    assert.deepEqual(probed.session.pings, []);
  });
});

describe("OnePortServer's probe", () => {
  const io = { timeout: 10_000 };
  const preface = Buffer.concat([Buffer.from(http2Preface), http2Frame(0x4, 0, 0, Buffer.alloc(0))]);
  const errors: readonly (readonly [name: string, frame: Buffer])[] = [
    ["headers that cannot be decoded", http2Frame(0x1, 0x5, 1, Buffer.of(0x80))],
    ["data on an idle stream", http2Frame(0x0, 0, 1, Buffer.alloc(0))],
  ];
  for (const [name, frame] of errors) {
    it(`closes a connection that Node leaves open after ${name}`, io, async (t) => {
      const server = new OnePortServer({ onRequest: () => undefined, http2PingIntervalMs: 20 });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const client = await openRaw(t, port, preface, frame);
      await client.closed();
      await until(() => server.connectionCount === 0);
    });
  }

  it("does so within seconds, however seldom others are asked", { timeout: 30_000 }, async (t) => {
    const server = new OnePortServer({ onRequest: () => undefined });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    await Promise.all(
      errors.map(async ([, frame]) => {
        const client = await openRaw(t, port, preface, frame);
        // A GOAWAY, however long.
        await client.received(String.fromCharCode(7, 0, 0, 0, 0, 0));
        client.socket.destroy();
      }),
    );
    await until(() => server.connectionCount === 0);
  });

  it("closes a connection whose client says goodbye and keeps its half open", io, async (t) => {
    const server = new OnePortServer({ onRequest: () => undefined, http2PingIntervalMs: 20 });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    closeAfter(t, socket);
    socket.resume();
    socket.write(Buffer.concat([preface, http2Frame(0x7, 0, 0, Buffer.alloc(8))]));
    await once(socket, "end");
    await until(() => server.connectionCount === 0);
  });

  it("keeps a client that answers", io, async (t) => {
    let requestCount = 0;
    const server = new OnePortServer({
      onRequest: (request, response) => {
        requestCount += 1;
        request.resume();
        response.end("here");
      },
      http2PingIntervalMs: 5,
    });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const session = openSession(t, port);
    let pingCount = 0;
    session.on("ping", () => (pingCount += 1));
    await until(() => pingCount > 3);
    await sendOnSession(session, { path: "/" });
    assert.equal(requestCount, 1);
    assert.equal(server.connectionCount, 1);
  });
});
