import { Duplex } from "node:stream";

/**
 * Two connected streams within this process: what is written to one can be read from the other.
 *
 * They behave like the two ends of a TCP connection: a write completes when the other end's reader took it, ends are
 * passed on and leave the other direction open, and destroying one before both directions ended fails the other, with `ECONNRESET` or
 * with the error given. (With Node's own `duplexPair()` the other one stays open or, since Node 24, sees a clean end.)
 */
export function createPipe(): readonly [Duplex, Duplex] {
  const left = new PipeEnd();
  const right = new PipeEnd();
  left.connectTo(right);
  right.connectTo(left);
  return [left, right];
}

type WriteCallback = (error?: Error | null) => void;

class PipeEnd extends Duplex {
  #other: PipeEnd = this;
  /** Completes the other end's write, whose bytes wait here to be read. */
  #onTaken: WriteCallback | undefined;

  constructor() {
    // A reader that took everything asks for more.
    super({ readableHighWaterMark: 1 });
    // As a socket's: whoever uses the pipe acts on its close, and a reset must not end the process.
    this.on("error", ignore);
  }

  connectTo(other: PipeEnd): void {
    this.#other = other;
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#isTaken) {
      // When the reader has it in its hands.
      process.nextTick(() => {
        this.#completeWrite();
      });
    }
    return chunk;
  }

  /** Called ahead of the reader or not at all: that says nothing about the write. Its successor brings what to read. */
  override _read(): void {
    // See above.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    const other = this.#other;
    if (other.destroyed) {
      callback(resetError());
      return;
    }
    other.#onTaken = callback;
    if (chunk.length === 0) other.#completeWrite();
    else other.push(chunk);
  }

  override _final(callback: WriteCallback): void {
    this.#other.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const other = this.#other;
    const isComplete = error === null && this.readableEnded && this.writableFinished;
    // What its reader took before it destroyed the stream was read all the same.
    if (this.#isTaken) this.#completeWrite();
    other.#completeWrite(error ?? resetError());
    if (!isComplete) process.nextTick(() => other.destroy(error ?? resetError()));
    callback(error);
  }

  /** Whether the other end's write has been read and is still to be completed. */
  get #isTaken(): boolean {
    return this.#onTaken !== undefined && this.readableLength === 0;
  }

  #completeWrite(error?: Error): void {
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.(error);
  }
}

function resetError(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}

function ignore(): void {
  // See above.
}
