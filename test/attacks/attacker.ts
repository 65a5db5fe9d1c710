import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface FloodOptions {
  /** Whether what comes is taken. Default: it is. */
  readonly reads?: boolean;
  /** Whether the server is to speak first. Default: it is not. */
  readonly waits?: boolean;
}

/** Whoever attacks: everything that is opened, until the attack is over. */
export class Attacker {
  readonly port: number;
  /** Aborts when the attack is over. */
  readonly over: AbortSignal;
  /** How much of everything. */
  readonly scale: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, over: AbortSignal, scale: number) {
    this.port = port;
    this.over = over;
    this.scale = scale;
    over.addEventListener("abort", () => {
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** At least one, and otherwise as many as the scale says. */
  scaled(count: number): number {
    return Math.max(1, Math.round(count * this.scale));
  }

  /** A connection on which that was said. @param reads - Whether what comes is taken. */
  async open(said: string | Uint8Array, reads = true): Promise<Socket> {
    const socket = connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
    if (reads) socket.resume();
    await new Promise<void>((resolve) => {
      socket.once("connect", () => {
        socket.write(said);
        resolve();
      });
      socket.once("close", resolve);
    });
    if (this.over.aborted) socket.destroy();
    return socket;
  }

  /** So many connections, opened a hundred at a time. */
  async openMany(count: number, said: string | Uint8Array, reads = true): Promise<Socket[]> {
    const sockets: Socket[] = [];
    while (sockets.length < count && !this.over.aborted) {
      const some = Math.min(100, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: some }, async () => this.open(said, reads)))));
    }
    return sockets;
  }

  /** Lets the others say that again and again, each of them at intervals. */
  async drip(sockets: readonly Socket[], said: string): Promise<void> {
    while (!this.over.aborted) {
      for (const socket of sockets) if (socket.writable) socket.write(said);
      await this.rest(100);
    }
  }

  /** Says what comes next for as long as it is taken, on another connection whenever one is closed. */
  async flood(
    preface: Uint8Array,
    createNext: () => () => Uint8Array,
    { reads = true, waits = false }: FloodOptions = {},
  ): Promise<void> {
    while (!this.over.aborted) {
      const socket = await this.open(preface, reads);
      if (waits) await Promise.race([answered(socket), this.rest(1_000)]);
      const next = createNext();
      while (!socket.destroyed) {
        if (socket.write(next())) await this.rest(0);
        else await Promise.race([changed(socket), this.rest(1_000)]);
      }
      await this.rest(5);
    }
  }

  /** Does that again and again, so many at a time, whatever comes of it. */
  async repeat(count: number, act: () => Promise<unknown>): Promise<void> {
    const loop = async (): Promise<void> => {
      while (!this.over.aborted) {
        await Promise.race([act().catch(() => undefined), this.ended()]);
        await this.rest(0);
      }
    };
    await Promise.all(Array.from({ length: count }, loop));
  }

  /** Resolves when the attack is over. */
  async ended(): Promise<void> {
    await sleep(2 ** 30, undefined, { signal: this.over }).catch(() => undefined);
  }

  async rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.over }).catch(() => undefined);
  }
}

async function changed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.once("drain", done);
    socket.once("close", done);
  });
}

async function answered(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off("data", done);
      socket.off("close", done);
      resolve();
    };
    socket.once("data", done);
    socket.once("close", done);
  });
}
