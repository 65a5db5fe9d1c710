import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createRandom } from "../helpers/random.js";
import { askSocks5 } from "../helpers/socks5-client.js";
import { Socks5UdpClient } from "../helpers/socks5-udp-client.js";
import { closed } from "../helpers/timing.js";
import { UdpPeer } from "../helpers/udp-peer.js";
import { CountingEcho } from "./counting-echo.js";
import { inParallel } from "../helpers/in-parallel.js";
import { countedBy, type Run, type RunLimits } from "./run.js";
import type { Stage } from "./stage.js";
import { stopwatch } from "./stopwatch.js";
import { users } from "./users.js";

export interface UdpPacketsOptions {
  /** How many associations there are at the same time. */
  readonly associationCount: number;
  /** How many packets each of them sends in each repetition. */
  readonly packetCount: number;
  readonly repetitionCount: number;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
}

/**
 * How many packets are under way at the same time: few enough that all of them fit into the receive buffer of the echo
 * server, the smallest that Linux gives (208 KiB, of which a packet takes up to 2.3).
 */
const windowCount = 50;
/** The largest payload that fits into an Ethernet frame with its SOCKS header. */
const maxPayloadBytes = 1_400;
/** Longer than a busy machine takes; nothing is sent twice. */
const answerTimeoutMs = 20_000;

/** Many packets over many UDP associations, each of which comes back. */
export function udpPackets({
  associationCount,
  packetCount,
  repetitionCount,
  timeoutMs,
  limits,
}: UdpPacketsOptions): Run {
  const random = createRandom(2);
  const pool = random.bytes(2 * maxPayloadBytes);
  const echo = new CountingEcho();
  const moved = { up: 0, down: 0 };
  let echoedCount = 0;
  let sentCount = 0;

  const exchangeOne = async (client: Socks5UdpClient): Promise<void> => {
    const start = random.below(maxPayloadBytes);
    const payload = pool.subarray(start, start + random.below(maxPayloadBytes + 1));
    sentCount += 1;
    moved.up += payload.length;
    const answered = client.receive(answerTimeoutMs);
    await client.send(payload, echo.endpoint);
    const answer = await answered;
    assert.deepEqual(answer, { payload, endpoint: echo.endpoint });
    moved.down += answer.payload.length;
    echoedCount += 1;
  };

  return {
    ...{ name: "udp", repetitionCount, timeoutMs, limits },
    amount:
      `${(associationCount * packetCount * repetitionCount).toLocaleString("en-US")} packets, ` +
      `${associationCount.toLocaleString("en-US")} associations`,
    descriptorCount: 3 * associationCount,
    repeat: async (stage, repetition) => {
      const { facts, proxy } = stage;
      if (repetition === 1) await echo.start(stage);
      const empty = await proxy.report();
      const clients: Socks5UdpClient[] = [];
      await inParallel(associationCount, windowCount, async () => {
        clients.push(await associate(stage));
      });
      const begun = await stopwatch(stage);
      for (let packet = 0; packet < packetCount; packet++) {
        await inParallel(associationCount, windowCount, async (index) => {
          const client = clients[index];
          assert.ok(client !== undefined);
          await exchangeOne(client);
        });
      }
      const { seconds, cpuMs } = await begun();
      const open = await proxy.report();
      facts.equal("associations in the table", open.connectionCount, associationCount);
      const count = associationCount * packetCount;
      stage.addFigure(
        `${Math.round(count / seconds).toLocaleString("en-US")} round trips/s, ` +
          `${((cpuMs / count) * 1_000).toFixed(0)} µs of the proxy's processor time each, ` +
          `${((open.rssBytes - empty.rssBytes) / associationCount / 1024).toFixed(1)} KiB of RSS for each association`,
      );
      await endAll(stage, clients);
    },
    check: (facts, report) => {
      facts.equal("packets that came back", echoedCount, sentCount);
      facts.equal("payload at the echo server", echo.moved, moved);
      facts.equal("uplink", countedBy(report, "user", "uplink", users.whole.username), moved.up);
      facts.equal("downlink", countedBy(report, "user", "downlink", users.whole.username), moved.down);
    },
  };
}

async function associate(stage: Stage): Promise<Socks5UdpClient> {
  const socket = createSocket("udp4");
  const peer = new UdpPeer(socket);
  stage.own(peer);
  socket.bind({ address: "127.0.0.1", port: 0, exclusive: true });
  await once(socket, "listening");
  const control = await stage.connect();
  const { reply, boundTo } = await askSocks5(control, peer.local, users.whole, 3);
  assert.equal(reply, 0);
  return new Socks5UdpClient(control, boundTo, peer);
}

/** A third of them ends its side, a third is cut by the client, a third by the proxy's table. */
async function endAll(stage: Stage, clients: readonly Socks5UdpClient[]): Promise<void> {
  const byTable = clients.filter((_, index) => index % 3 === 2);
  const ports = byTable.map(({ control }) => control.localPort ?? 0);
  clients.forEach(({ control }, index) => {
    if (index % 3 === 0) control.end();
    if (index % 3 === 1) control.resetAndDestroy();
  });
  stage.facts.equal("associations closed by the table", await stage.proxy.closeFrom(ports), byTable.length);
  await Promise.all(
    clients.map(async (client) => {
      client.control.resume().on("end", () => client.control.end());
      await closed(client.control);
      await client.close();
    }),
  );
}
