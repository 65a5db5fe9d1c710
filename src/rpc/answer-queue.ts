import { createContextKey } from "@connectrpc/connect";
import { CountsByKey } from "../net/counts-by-key.js";

export interface AnswerQueueOptions {
  /**
   * After how long without a read a caller counts as one who has stopped to, in milliseconds. What the kernel holds for a caller
   * counts as read, and over HTTP/1.1 it takes more only once some megabyte of it is gone: who reads that in this time is seen
   * to read. Default: 15,000.
   */
  readonly stalledAfterMs?: number;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

/** Whose an answer is. */
export interface AnswerReader {
  /** Where it is read: who reads one answer there may leave the others for later. */
  readonly connection: object;
  /** Who is to have no more than a share. */
  readonly holder: object | string;
  /** Cuts it off. */
  readonly cut: () => void;
}

/** An answer that waits for its caller to read it. */
export interface QueuedAnswer {
  /** Some of it was read just now. */
  touch(): void;
  /** It waits no more. To call it twice does no harm. */
  release(): void;
}

interface Entry extends AnswerReader {
  readonly bytes: number;
  readonly addedAtMs: number;
}

/**
 * Bounds how many bytes of answers wait for their callers, over all connections. Who reads is never cut off: to make room,
 * only those are who have stopped to. Where that is not enough, or half of all belongs to whoever asks, another large answer
 * is to be refused, and keeps nothing reset. What is being made then, and what is small, is taken in all the same,
 * so that more waits than may be by about as much.
 */
export class AnswerQueue {
  readonly #maxBytes: number;
  readonly #stalledAfterMs: number;
  readonly #now: () => number;
  readonly #entries = new Set<Entry>();
  /** When something was read there last. */
  readonly #readAtMs = new WeakMap<object, number>();
  readonly #bytes = new CountsByKey<object | string>();

  constructor(
    maxBytes: number,
    { stalledAfterMs = 15_000, now = () => performance.now() }: AnswerQueueOptions = {},
  ) {
    this.#maxBytes = maxBytes;
    this.#stalledAfterMs = stalledAfterMs;
    this.#now = now;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes.total;
  }

  /** Makes room, if need be and it can. @returns whether a holder may ask for another large answer. */
  hasRoomFor(holder: object | string): boolean {
    const isOwn = (entry: Entry): boolean => entry.holder === holder;
    const isFree = (): boolean => this.bytes < this.#maxBytes;
    const isOwnFree = (): boolean => this.#bytes.get(holder) < this.#maxBytes / 2;
    this.#cutStalled(isOwn, isOwnFree);
    this.#cutStalled(() => true, isFree);
    return isFree() && isOwnFree();
  }

  /** Another one waits, and room is made for it, unless it is larger than all may be together. */
  add(bytes: number, reader: AnswerReader): QueuedAnswer {
    const isEnough = (): boolean => this.bytes + bytes <= this.#maxBytes;
    if (bytes <= this.#maxBytes) this.#cutStalled(() => true, isEnough);
    const entry = { bytes, addedAtMs: this.#now(), ...reader };
    this.#entries.add(entry);
    this.#bytes.add(entry.holder, bytes);
    return {
      touch: () => {
        this.#readAtMs.set(entry.connection, this.#now());
      },
      release: () => {
        this.#remove(entry);
      },
    };
  }

  /** Cuts off those who have stopped to read, who did so first first, until it is enough. */
  #cutStalled(mayBeCut: (entry: Entry) => boolean, isEnough: () => boolean): void {
    if (isEnough()) return;
    const latestMs = this.#now() - this.#stalledAfterMs;
    const stalled = [...this.#entries]
      .filter((entry) => mayBeCut(entry) && this.#lastReadMs(entry) <= latestMs)
      .sort((one, other) => this.#lastReadMs(one) - this.#lastReadMs(other));
    for (const entry of stalled) {
      if (isEnough()) return;
      this.#remove(entry);
      entry.cut();
    }
  }

  /** An answer that came later than anything was read there is given its time, too. */
  #lastReadMs({ connection, addedAtMs }: Entry): number {
    return Math.max(addedAtMs, this.#readAtMs.get(connection) ?? 0);
  }

  #remove(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#bytes.add(entry.holder, -entry.bytes);
  }
}

/** Where a query finds the queue of its answer. Where answers do not wait, there is always room. */
export const answerQueueKey = createContextKey<Pick<AnswerQueue, "hasRoomFor">>(
  { hasRoomFor: () => true },
  { description: "answer queue" },
);
