import type { Socket } from "node:net";

/** What all floods send, again and again. */
const chunk = Buffer.alloc(64 * 1024, "flood");

/** Offers bytes to whoever reads a socket, as fast as they are taken. */
export class Flood {
  readonly #socket: Socket;
  #leftBytes: number;

  constructor(socket: Socket, bytes: number) {
    this.#socket = socket;
    this.#leftBytes = bytes;
    socket.on("drain", this.#sendOn);
    this.#sendOn();
  }

  /** How many bytes have not been handed over yet. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  readonly #sendOn = (): void => {
    while (this.#leftBytes > 0 && this.#socket.writable) {
      this.#leftBytes -= chunk.length;
      if (!this.#socket.write(chunk)) return;
    }
  };
}
