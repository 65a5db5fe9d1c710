import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { statScopes, type StatDirection } from "../../src/stats/stat-name.js";
import { startDestination } from "../helpers/destination.js";
import { readHttpAnswer } from "../helpers/http-client.js";
import { needsKernelQueues, queuedBytes } from "../helpers/kernel-queues.js";
import { connectTo, openTunnel, tunnelProtocols } from "../helpers/proxy.js";
import { plainRequest, userOf, usersOf, wayTitles, type ProxyWay } from "../helpers/proxy-ways.js";
import { standsStill } from "../helpers/still.js";
import { countersOf, startTestApp, type TestApp } from "../helpers/test-app.js";
import { closed } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 60_000 };
const megabyte = 1024 * 1024;
/** More than all buffers between two ends hold together. */
const floodBytes = 128 * megabyte;
/** How far a count may be behind the kernel. */
const maxBehindBytes = megabyte;
/** Room for a head that the proxy rewrites. */
const headBytes = 1000;

/** The two ends of a connection through an app. */
interface Ends {
  readonly app: TestApp;
  readonly client: Socket;
  readonly destination: Socket;
}

/** @param sender - Who has a body to send, in plain HTTP. */
async function startEnds(t: TestContext, way: ProxyWay, sender: "client" | "destination"): Promise<Ends> {
  const app = await startTestApp(t, { users: usersOf(way) });
  const target = await startDestination(t);
  const options = { proxy: app.proxy, destination: target.endpoint, user: userOf(way) };
  if (way !== "plain") {
    const client = await openTunnel(t, { ...options, protocol: way });
    return { app, client, destination: await target.accept() };
  }
  const client = await connectTo(t, app.proxy);
  const length = `Content-Length: ${floodBytes}`;
  if (sender === "client") client.write(plainRequest("POST", options, length));
  else client.write(plainRequest("GET", options));
  const destination = await target.accept();
  if (sender === "destination") {
    await readHttpAnswer(destination);
    destination.write(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n`);
  }
  return { app, client, destination };
}

/** Sends as much as the other side takes. */
function flood(sender: Socket): void {
  const chunk = Buffer.alloc(64 * 1024, "flood");
  let left = floodBytes;
  const sendOn = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!sender.write(chunk)) break;
    }
  };
  sender.on("drain", sendOn);
  sendOn();
}

/** What all counters of a direction say, which must be the same. */
function counted(app: TestApp, way: ProxyWay, direction: StatDirection): number {
  const counters = Object.entries(countersOf(app)).filter(([name]) => name.endsWith(direction));
  const values = new Set(counters.map(([, value]) => value));
  assert.equal(counters.length, userOf(way) === undefined ? statScopes.length - 1 : statScopes.length);
  assert.equal(values.size, 1, JSON.stringify(counters.map(String)));
  return Number([...values][0]);
}

/** How many more bytes can be read from a socket that was not read, until it closes. */
async function restOf(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  // Node takes a reset behind unread data for an end, and leaves a half-open capable socket to us.
  socket.on("end", () => socket.destroy());
  await closed(socket);
  return bytes;
}

describe("a reader that stops for ever", () => {
  failOnUnhandled();
  const ways: readonly ProxyWay[] = [...tunnelProtocols, "plain"];

  for (const way of ways) {
    it(
      `as a client of ${wayTitles[way]} stops the destination and the counters, until it is cut`,
      io,
      async (t) => {
        const { app, client, destination } = await startEnds(t, way, "destination");
        flood(destination);
        const downlink = await standsStill(() => counted(app, way, "downlink"));
        assert.ok(downlink > 0 && downlink < floodBytes, `${downlink}`);
        assert.ok(destination.writableLength > 0, "the destination was not stopped");

        await app.app.stop(AbortSignal.abort());
        await closed(destination);
        const received = await restOf(client);
        const after = counted(app, way, "downlink");
        assert.ok(after >= downlink && after <= destination.bytesWritten + headBytes, `${after}`);
        assert.ok(received <= after + maxBehindBytes, `counted ${after}, received ${received}`);
        assert.ok(received < floodBytes);
      },
    );

    it(
      `as a destination stops the client of ${wayTitles[way]} and the counters, until it is cut`,
      io,
      async (t) => {
        const { app, client, destination } = await startEnds(t, way, "client");
        flood(client);
        const uplink = await standsStill(() => counted(app, way, "uplink"));
        assert.ok(uplink > 0 && uplink < floodBytes, `${uplink}`);
        assert.ok(client.writableLength > 0, "the client was not stopped");

        await app.app.stop(AbortSignal.abort());
        await closed(client);
        const received = await restOf(destination);
        const after = counted(app, way, "uplink");
        assert.ok(after >= uplink && after <= client.bytesWritten + headBytes, `${after}`);
        assert.ok(received <= after, `counted ${after}, received ${received}`);
        assert.equal(counted(app, way, "downlink"), 0);
      },
    );
  }

  for (const way of tunnelProtocols) {
    it(
      `is counted what the kernel took for it, by ${wayTitles[way]}`,
      { ...io, ...needsKernelQueues },
      async (t) => {
        const { app, client, destination } = await startEnds(t, way, "destination");
        const handshakeBytes = client.bytesRead;
        flood(destination);
        const downlink = await standsStill(() => counted(app, way, "downlink"));
        const { localPort = 0 } = client;
        const queued = queuedBytes({ from: app.proxy.port, to: localPort });
        const taken = client.bytesRead - handshakeBytes + queued;
        assert.ok(queued > 0);
        assert.ok(downlink <= taken, `counted ${downlink}, the kernel took ${taken}`);
        assert.ok(downlink >= taken - maxBehindBytes, `counted ${downlink}, the kernel took ${taken}`);
      },
    );
  }
});
