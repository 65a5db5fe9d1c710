/** An answer that waits for its caller to read it. */
export interface QueuedAnswer {
  /** Some of it was read just now. */
  touch(): void;
  /** It waits no more. To call it twice does no harm. */
  release(): void;
}

interface Entry {
  readonly bytes: number;
  readonly cut: () => void;
}

/**
 * Bounds how many bytes of answers wait for their callers, over all connections: to make room for another one, those are cut
 * off of which nothing was read for longest, which leaves those alone who read.
 */
export class AnswerQueue {
  readonly #maxBytes: number;
  /** The one of which nothing was read for longest comes first. */
  readonly #entries = new Set<Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Another one waits, which may be larger than all may be together. @param cut - Cuts it off. */
  add(bytes: number, cut: () => void): QueuedAnswer {
    const entry = { bytes, cut };
    for (const other of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      this.#remove(other);
      other.cut();
    }
    this.#entries.add(entry);
    this.#bytes += bytes;
    return {
      touch: () => {
        if (this.#entries.delete(entry)) this.#entries.add(entry);
      },
      release: () => {
        this.#remove(entry);
      },
    };
  }

  #remove(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#bytes -= entry.bytes;
  }
}
