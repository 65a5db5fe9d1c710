import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Endpoint } from "../../src/net/endpoint.js";
import { GrpcCaller } from "./grpc-caller.js";
import { echoBytes, formatLoadHead, type BesideLoad, type BesideTimes, type Way } from "./load-protocol.js";
import { openTunnel } from "./tunnel.js";

const echoEveryMs = 5;
const callEveryMs = 10;
const connectEveryMs = 20;
/** With which 13 MB a second flow, each way. */
const trafficPiece = Buffer.alloc(65_536);
const trafficEveryMs = 5;

/**
 * Lives with a server for a while, as many do at the same time, and takes the time of everything. What begins does so by the
 * clock, whether or not what came before it is over: who waits for a server that stands still is late as well.
 */
export async function liveBeside(load: BesideLoad, way: Way, api: Endpoint): Promise<BesideTimes> {
  const life = new Life();
  try {
    // Whatever fails first.
    await new Promise<void>((resolve, reject) => {
      life.live(load, way, api, reject).then(resolve, reject);
    });
  } finally {
    life.end();
  }
  return life.times;
}

type Begin = (onDone: () => void) => void;

class Life {
  readonly times = {
    echoes: new Array<number>(),
    connections: new Array<number>(),
    calls: new Array<number>(),
  } as const;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #closings: (() => void)[] = [];
  #runningCount = 0;

  async live(load: BesideLoad, way: Way, api: Endpoint, onFailed: (error: Error) => void): Promise<void> {
    const small = await GrpcCaller.open(api, load.small, onFailed);
    const large = await GrpcCaller.open(api, load.large, onFailed);
    this.#closings.push(
      () => {
        small.close();
      },
      () => {
        large.close();
      },
    );
    if (way.proxy !== undefined) await this.#useProxy(way, onFailed);
    this.#every(callEveryMs, this.times.calls, (onDone) => {
      small.call(onDone);
    });
    if (load.largeEveryMs !== undefined) {
      this.#every(load.largeEveryMs, [], (onDone) => {
        large.call(onDone);
      });
    }
    await setTimeout(load.ms);
    this.#stopTimers();
    while (this.#runningCount > 0) await setTimeout(1);
  }

  end(): void {
    this.#stopTimers();
    for (const close of this.#closings.splice(0)) close();
  }

  async #useProxy(way: Way, onFailed: (error: Error) => void): Promise<void> {
    const echo = await this.#openEcho(way);
    const traffic = await this.#openEcho(way);
    this.#every(echoEveryMs, this.times.echoes, (onDone) => {
      echo(Buffer.of(1), onDone);
    });
    this.#every(trafficEveryMs, [], (onDone) => {
      traffic(trafficPiece, onDone);
    });
    this.#every(connectEveryMs, this.times.connections, (onDone) => {
      exchangeByte(way).then(onDone, onFailed);
    });
  }

  /** Opens a tunnel in which everything comes back. @returns what sends something, and tells when all of it has. */
  async #openEcho(way: Way): Promise<(bytes: Buffer, onBack: () => void) => void> {
    const waiting: { untilBytes: number; onBack: () => void }[] = [];
    let [sentBytes, backBytes] = [0, 0];
    const { socket } = await openTunnel(way, {
      onBytes: ({ length }) => {
        backBytes += length;
        while ((waiting[0]?.untilBytes ?? Infinity) <= backBytes) waiting.shift()?.onBack();
      },
    });
    this.#closings.push(() => socket.destroy());
    socket.write(formatLoadHead(0, echoBytes));
    return (bytes, onBack) => {
      sentBytes += bytes.length;
      waiting.push({ untilBytes: sentBytes, onBack });
      socket.write(bytes);
    };
  }

  /** Begins something right away, and then again and again. */
  #every(periodMs: number, times: number[], begin: Begin): void {
    this.#begin(times, begin);
    this.#timers.push(
      setInterval(() => {
        this.#begin(times, begin);
      }, periodMs),
    );
  }

  #begin(times: number[], begin: Begin): void {
    const begunAtMs = performance.now();
    this.#runningCount += 1;
    begin(() => {
      this.#runningCount -= 1;
      times.push(performance.now() - begunAtMs);
    });
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }
}

/** Opens a connection, and sees a byte come back on it. */
async function exchangeByte(way: Way): Promise<void> {
  let onByte: () => void = () => undefined;
  const back = new Promise<void>((resolve) => (onByte = resolve));
  const { socket } = await openTunnel(way, {
    onBytes: () => {
      onByte();
    },
  });
  socket.write(formatLoadHead(0, 1));
  const ended = once(socket, "close").then(() => {
    throw new Error("nothing came back");
  });
  await Promise.race([back, ended]);
  socket.destroy();
}
