import { Duplex, type DuplexOptions } from "node:stream";

/**
 * Two streams in memory: what one is written the other reads. A write completes when the other side took it. Destroying
 * one before both directions ended fails the other with ECONNRESET, as a reset does. (Node has `duplexPair()` since 22.)
 */
export function duplexPair(options: DuplexOptions = {}): readonly [PairEnd, PairEnd] {
  const left = new PairEnd(options);
  const right = new PairEnd(options);
  left.connectTo(right);
  right.connectTo(left);
  return [left, right];
}

/** What arrives at once, as from a socket. */
const maxPieceBytes = 65_536;

/** One end of a {@link duplexPair}. */
export class PairEnd extends Duplex {
  /** How many bytes the other side took. */
  takenBytes = 0;
  #other: PairEnd = this;
  #onTaken: (() => void) | undefined;
  #failWrite: ((error: Error) => void) | undefined;

  connectTo(other: PairEnd): void {
    this.#other = other;
    this.on("error", ignore);
  }

  override _read(): void {
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const other = this.#other;
    if (chunk.length === 0 || other.destroyed) {
      process.nextTick(callback);
      return;
    }
    const piece = chunk.subarray(0, maxPieceBytes);
    const onTaken = (): void => {
      this.#failWrite = undefined;
      this.takenBytes += piece.length;
      this._write(chunk.subarray(piece.length), encoding, callback);
    };
    this.#failWrite = callback;
    if (!other.push(piece)) other.#onTaken = onTaken;
    else
      process.nextTick(() => {
        if (!this.destroyed) onTaken();
      });
  }

  override _final(callback: () => void): void {
    this.#other.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const other = this.#other;
    const isClean = error === null && this.readableEnded && this.writableFinished;
    if (!isClean) process.nextTick(() => other.destroy(resetError()));
    other.#onTaken = undefined;
    this.#failWrite?.(error ?? new Error("destroyed while writing"));
    callback(error);
  }
}

function resetError(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}

function ignore(): void {
  // Tests that care listen themselves.
}
