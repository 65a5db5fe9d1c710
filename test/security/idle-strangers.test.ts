import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ApiServer } from "../../src/rpc/api-server.js";
import { healthPath } from "../../src/rpc/health.js";
import { paths, startApi, type TestApi } from "../helpers/api-server.js";
import { seriesOf } from "../helpers/metrics.js";
import {
  http1Text,
  http2Preface,
  openRaw,
  openSession,
  RawConnection,
  sendOnSession,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { clientAuthority, clientFixture } from "../helpers/tls.js";
import { closed, failed } from "../helpers/timing.js";
import { fixtureTls, type Port } from "../helpers/tls-port.js";
import { bearer, listeners, secrets, startGuarded, type Listener } from "./guarded-api.js";

const io = { timeout: 60_000 };
const most = 8;
const limits = [
  { of: "its source", options: { maxConnectionsPerSource: most }, reason: "too_many_connections_of_source" },
  { of: "all", options: { maxConnections: most }, reason: "too_many_connections" },
] as const;

const json = { "content-type": "application/json" };
const sys = { path: paths.getSysStats, headers: { ...json, ...bearer("grafana-s3cret") }, body: "{}" };
/** What becomes of connections for the number of them. */
const reasons = [...limits.map(({ reason }) => reason), "displaced_connection"];

/** What somebody without a secret may have said. */
const words = [
  "",
  "POST /half HTTP/1.1\r\nHost: loc",
  http2Preface.slice(0, 10),
  http2Preface,
  http1Text({ ...sys, headers: { ...json, ...bearer("guess") } }),
  http1Text({ path: `${healthPath}Check`, headers: json, body: "{}" }),
];
/** The beginning of a ClientHello (RFC 8446 §4, §5.1). */
const halfHello = Buffer.from([22, 3, 1, 2, 0, 1]);

/** Opens as many connections of strangers, each of which says something and holds its place as long as it can. */
async function fill(t: TestContext, port: Port, count: number): Promise<Socket[]> {
  const opened: Socket[] = [];
  for (let index = 0; index < count; index++) {
    const isInHandshake = typeof port !== "number" && index % 3 > 0;
    const { socket } = isInHandshake
      ? await openRaw(t, port.tlsPort, halfHello.subarray(0, index))
      : await openRaw(t, announced(port), words[index % words.length] ?? "");
    opened.push(socket);
  }
  return opened;
}

/** HTTP/2 under TLS is let begin only where it was announced. */
function announced(port: Port): Port {
  return typeof port === "number" ? port : { ...port, options: { ALPNProtocols: ["h2"] } };
}

/** A connection of somebody who has a secret. */
interface Kept {
  /** Asks for something on it; fails if it has ended. */
  readonly ask: () => Promise<void>;
}

async function openKept(t: TestContext, { version }: Listener, port: Port): Promise<Kept> {
  if (version === "HTTP/2") {
    const session = openSession(t, port);
    await once(session, "connect");
    return {
      ask: async () => {
        assert.equal((await sendOnSession(session, sys)).status, 200);
      },
    };
  }
  const raw = await openRaw(t, port);
  let asked = 0;
  return {
    ask: async () => {
      raw.send(http1Text(sys));
      await raw.received("HTTP/1.1 200 OK", (asked += 1));
    },
  };
}

function portOf({ options }: Listener, { port }: TestApi): Port {
  return options.tls === undefined ? port : { tlsPort: port };
}

/** Opens one that is reset. */
async function assertReset(t: TestContext, { port }: TestApi): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  closeAfter(t, socket);
  assert.equal((await failed(socket)).code, "ECONNRESET");
}

/** Waits until the metrics tell of that many of these and of no others of connections, which a right secret can read at any time. */
async function refused(
  session: ClientHttp2Session,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  const request = { method: "GET", path: "/metrics", headers: bearer("grafana-s3cret") };
  for (;;) {
    const series = seriesOf((await sendOnSession(session, request)).body.toString());
    const told = Object.fromEntries(
      reasons.map((reason) => [
        reason,
        Number(series[`v2ray_api_refused_requests_total{reason="${reason}"}`]),
      ]),
    );
    if (Object.entries(expected).every(([reason, value]) => (told[reason] ?? 0) >= value)) {
      assert.deepEqual(told, { ...Object.fromEntries(reasons.map((reason) => [reason, 0])), ...expected });
      return;
    }
  }
}

for (const listener of listeners) {
  for (const { of, options, reason } of limits) {
    describe(
      `a right caller over ${listener.over}, where strangers take all connections of ${of}`,
      io,
      () => {
        it("gets in, and stays, while those end who have been there longest", async (t) => {
          const api = await startGuarded(t, listener, { secrets, ...options });
          const port = portOf(listener, api);
          const first = await fill(t, port, most);
          const kept = await openKept(t, listener, port);
          await kept.ask();
          const watch = openSession(t, port);
          await refused(watch, { displaced_connection: 2 });
          const more = await fill(t, port, 20);
          for (const socket of [...first, ...more.slice(0, 14)]) await closed(socket);
          await refused(watch, { displaced_connection: 22 });
          await kept.ask();
          assert.equal((await listener.ask(api, sys)).status, 200);
        });

        it("is let call first, however many come meanwhile but the last that there is room for", async (t) => {
          const api = await startGuarded(t, listener, { secrets, ...options });
          const port = portOf(listener, api);
          await fill(t, port, most);
          const kept = await openKept(t, listener, port);
          const meanwhile = await fill(t, port, most - 1);
          await kept.ask();
          const [oldest] = meanwhile;
          assert.ok(oldest !== undefined);
          await fill(t, port, 1);
          await closed(oldest);
          await kept.ask();
        });

        it("is ended for nobody: who comes then is reset", async (t) => {
          const api = await startGuarded(t, listener, { secrets, ...options });
          const port = portOf(listener, api);
          const all = await Promise.all(
            Array.from({ length: most - 1 }, async () => openKept(t, listener, port)),
          );
          const watch = openSession(t, port);
          for (const { ask } of all) await ask();
          await refused(watch, {});
          await assertReset(t, api);
          for (const { ask } of all) await ask();
          await refused(watch, { [reason]: 1 });
        });
      },
    );
  }
}

describe("connections with a verified certificate", io, () => {
  const mutual = {
    ...{ ...fixtureTls, clientAuthentication: "require-and-verify" as const },
    clientCertificates: [{ pem: clientAuthority }],
  };
  const right = ({ port }: TestApi): Port => ({ tlsPort: port, options: clientFixture });

  for (const { of, options, reason } of limits) {
    it(`take the places of others and are ended for nobody, before their first request, in ${of}`, async (t) => {
      const api = await startApi(t, { tls: mutual, ...options });
      const strangers = await Promise.all(
        Array.from({ length: most }, async () => (await openRaw(t, api.port, halfHello)).socket),
      );
      const all = await Promise.all(Array.from({ length: most }, async () => openRaw(t, right(api))));
      for (const socket of strangers) await closed(socket);
      await assertReset(t, api);
      for (const raw of all) {
        raw.send(http1Text({ ...sys, headers: json }));
        await raw.received("HTTP/1.1 200 OK");
      }
      const { text } = await askMetrics(all[0]);
      assert.match(text, new RegExp(`reason="${reason}"} 1\n`));
      assert.match(text, new RegExp(`reason="displaced_connection"} ${most}\n`));
    });
  }

  it("are asked for by no Unix socket, whose connections are all trusted where there are no secrets", async (t) => {
    const path = join(createTempDir(t).path, "api.sock");
    const server = new ApiServer({ listen: { path }, tls: mutual, maxConnections: 2 });
    closeAfter(t, server);
    await server.start();
    const sockets = [1, 2].map(() => connect(path));
    closeAfter(t, ...sockets);
    for (const socket of sockets) await once(socket, "connect");
    const beyond = new RawConnection(connect(path));
    closeAfter(t, beyond.socket);
    await beyond.closed();
    for (const socket of sockets) {
      const raw = new RawConnection(socket);
      raw.send(http1Text({ path: "/metrics", method: "GET" }));
      await raw.received('reason="displaced_connection"} 0\n');
    }
  });
});

describe("connections where there are no secrets", io, () => {
  for (const { of, options } of limits) {
    it(`are ended for nobody, of ${of}`, async (t) => {
      const api = await startApi(t, options);
      const first = await openRaw(t, api.port);
      await fill(t, api.port, most - 1);
      await assertReset(t, api);
      first.send(http1Text({ ...sys, headers: json }));
      await first.received("HTTP/1.1 200 OK");
    });
  }
});

/** What comes is read to the end. */
async function askMetrics(raw: RawConnection | undefined): Promise<RawConnection> {
  assert.ok(raw !== undefined);
  raw.send(http1Text({ path: "/metrics", method: "GET" }));
  await raw.received('reason="http2_errors"} 0\n');
  return raw;
}
