/*
 * The process of the clients: it carries one load after the other out, each as it is asked for.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import { inParallel } from "../helpers/in-parallel.js";
import { liveBeside } from "./beside-load.js";
import { carryOutCalls, openIdleCallers } from "./call-load.js";
import type { GrpcCaller } from "./grpc-caller.js";
import {
  formatLoadHead,
  type BesideTimes,
  type LoadAnswer,
  type LoadQuestion,
  type PacketLoad,
  type TransferLoad,
  type Way,
} from "./load-protocol.js";
import { openTunnel } from "./tunnel.js";
import { writeBytes } from "./write-bytes.js";

/** Loopback takes far less: what has not come back by then never will. */
const lostAfterMs = 500;
const held: Socket[] = [];
const heldCallers: GrpcCaller[] = [];

process.once("disconnect", () => process.exit());
process.on("message", (question: LoadQuestion) => void answer(question));
process.send?.({});

async function answer(question: LoadQuestion): Promise<void> {
  const begun = performance.now();
  const usage = process.cpuUsage();
  const seen = await carryOut(question);
  const { user, system } = process.cpuUsage(usage);
  const told: LoadAnswer = {
    ...{ wallMs: performance.now() - begun, cpuMs: (user + system) / 1_000, lostCount: 0 },
    ...seen,
  };
  process.send?.(told);
}

interface Seen {
  readonly lostCount?: number;
  readonly tookMs?: BesideTimes;
}

async function carryOut(question: LoadQuestion): Promise<Seen> {
  switch (question.kind) {
    case "transfers":
      await transfers(question, question.way);
      return {};
    case "packets":
      return { lostCount: await roundTrips(question, question.way) };
    case "idle":
      await inParallel(question.count, 50, async () => hold(question.way));
      return {};
    case "calls":
      await carryOutCalls(question, apiOf(question.way));
      return {};
    case "idle-calls":
      heldCallers.push(...(await openIdleCallers(question, apiOf(question.way))));
      return {};
    case "beside":
      return { tookMs: await liveBeside(question, question.way, apiOf(question.way)) };
    case "release":
      for (const socket of held.splice(0)) socket.destroy();
      for (const caller of heldCallers.splice(0)) caller.close();
      return {};
  }
}

function apiOf({ api }: Way): Endpoint {
  if (api === undefined) throw new Error("there is no API to call");
  return api;
}

async function transfers({ count, parallel, upBytes, downBytes }: TransferLoad, way: Way): Promise<void> {
  await inParallel(count, parallel, async () => {
    let leftBytes = downBytes;
    let onWhole: () => void = () => undefined;
    const whole = new Promise<void>((resolve) => (onWhole = resolve));
    const { socket } = await openTunnel(way, {
      onBytes: ({ length }) => {
        leftBytes -= length;
        if (leftBytes <= 0) onWhole();
      },
    });
    socket.write(formatLoadHead(upBytes, downBytes));
    writeBytes(socket, upBytes, () => undefined);
    await Promise.race([whole, once(socket, "close")]);
    if (leftBytes !== 0) throw new Error(`${leftBytes} of ${downBytes} bytes are missing`);
    // Not at the origin's end, which some servers pass on a second late.
    socket.destroy();
  });
}

/** @returns how many were lost. */
async function roundTrips({ count, window, payloadBytes }: PacketLoad, way: Way): Promise<number> {
  const udp = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const { origin } = way;
  const header = Buffer.of(0, 0, 0, 1, 127, 0, 0, 1, origin.port >> 8, origin.port & 255);
  const control =
    way.proxy &&
    (await openTunnel(
      { ...way, origin: { host: "0.0.0.0", port: 0 } },
      { command: 3, onBytes: () => undefined },
    ));
  const port = control?.reply.readUInt16BE(8) ?? origin.port;
  const packet = Buffer.concat([
    control === undefined ? Buffer.alloc(0) : header,
    Buffer.alloc(payloadBytes, "p"),
  ]);
  const lostCount = await new Promise<number>((resolve) => {
    let [sent, back, lost] = [0, 0, 0];
    const sendOn = (): void => {
      while (sent < count && sent - back - lost < window) {
        sent += 1;
        udp.send(packet, port, "127.0.0.1");
      }
    };
    const timer = setTimeout(() => {
      // All that are on their way.
      lost = sent - back;
      if (sent === count) resolve(lost);
      else {
        sendOn();
        timer.refresh();
      }
    }, lostAfterMs);
    udp.on("message", () => {
      back += 1;
      timer.refresh();
      if (back + lost === count) {
        clearTimeout(timer);
        resolve(lost);
      } else if (window > 32) {
        // Bursts: the next one begins when the last of this one is back.
        if (sent === back + lost) sendOn();
      } else sendOn();
    });
    sendOn();
  });
  udp.close();
  control?.socket.destroy();
  return lostCount;
}

async function hold(way: Way): Promise<void> {
  const { socket } = await openTunnel(way, { onBytes: () => undefined });
  held.push(socket);
  // The origin waits for one byte more.
  socket.write(formatLoadHead(1, 0));
}
