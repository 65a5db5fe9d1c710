import { maxShortBytes, type ShortPlan } from "./short-plan.js";

/** One short connection while it is carried out: what both of its ends, which do not know each other, have done and seen. */
export class ShortExchange {
  readonly id: number;
  readonly plan: ShortPlan;
  /** What the client is to send, and the origin: of each exchange something else. */
  readonly up: Buffer;
  readonly down: Buffer;
  clientSentBytes = 0;
  clientReceivedBytes = 0;
  originSentBytes = 0;
  originReceivedBytes = 0;
  /** Resolves when the connection has closed at the origin. It may never have come there. */
  readonly originClosed: Promise<void>;
  onOriginClosed: () => void = () => undefined;

  /** @param pool - At least {@link poolBytes} to take the contents from. */
  constructor(id: number, plan: ShortPlan, pool: Buffer) {
    this.id = id;
    this.plan = plan;
    this.originClosed = new Promise((resolve) => (this.onOriginClosed = resolve));
    const start = id % maxShortBytes;
    this.up = pool.subarray(start, start + plan.upBytes);
    this.down = pool.subarray(2 * maxShortBytes - start, 2 * maxShortBytes - start + plan.downBytes);
  }
}

/** How much content there must be to take that of the exchanges from. */
export const poolBytes = 3 * maxShortBytes;

/** What stands before the body, one way and the other: it ends with an empty line. */
export const headEnd = "\r\n\r\n";

/** Compares a body with what it must be, piece by piece as it comes. */
export class BodyCheck {
  readonly #expected: Buffer;
  #bytes = 0;

  constructor(expected: Buffer) {
    this.#expected = expected;
  }

  /** How many bytes of it have come. */
  get bytes(): number {
    return this.#bytes;
  }

  get isComplete(): boolean {
    return this.#bytes === this.#expected.length;
  }

  /** @throws Error if it is something else. */
  take(piece: Buffer): void {
    const expected = this.#expected.subarray(this.#bytes, this.#bytes + piece.length);
    if (!piece.equals(expected)) throw new Error(`other bytes than were sent, from byte ${this.#bytes} on`);
    this.#bytes += piece.length;
  }
}

/** Finds the end of a head in the pieces that come before it. */
export class HeadReader {
  #bytes = Buffer.alloc(0);

  /** @returns the head and what has come behind it, as soon as that is known. */
  take(piece: Buffer): { readonly head: string; readonly rest: Buffer } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    const end = this.#bytes.indexOf(headEnd);
    if (end < 0) return undefined;
    const start = end + headEnd.length;
    return { head: this.#bytes.toString("latin1", 0, start), rest: this.#bytes.subarray(start) };
  }
}
