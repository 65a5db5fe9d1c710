import type { Duplex } from "node:stream";
import type { BufferPool } from "./buffer-pool.js";
import { maxWriteBytes } from "./counted-writes.js";
import type { RelayBuffers } from "./relay-buffers.js";

/** How much a reader who made it wait for long has to take before he is served by large buffers again. */
const probationBytes = 16 * 1024 * 1024;

export interface BusyReadsOptions {
  readonly from: Duplex;
  readonly to: Duplex;
  readonly buffers: RelayBuffers;
  /** Told how much was read, before any of it is written. */
  readonly onRead: (bytes: number) => void;
  /** Told that `from` is paused, because `to` has not taken what was read. */
  readonly onPaused: () => void;
  /** Called after each write, like the callback of `write()`. It has to call {@link BusyReads.onWritten}. */
  readonly onWritten: (error?: Error | null) => void;
}

/**
 * Carries one direction between two sockets through the buffers of {@link RelayBuffers}.
 *
 * A buffer is free when what was read into it is written, and that is as a rule at once: the kernel takes it. Otherwise
 * `from` is paused, and the buffer kept, until it did. A reader who lets that last keeps nobody else from a buffer: his is
 * written off, as far as there is room for that, and for what comes next he is lent none.
 */
export class BusyReads {
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #buffers: RelayBuffers;
  readonly #tellRead: (bytes: number) => void;
  readonly #tellPaused: () => void;
  readonly #tellWritten: (error?: Error | null) => void;
  #lent: Buffer | undefined;
  /** Whose it is. */
  #pool: BufferPool;
  /** What was read and not handed to `to` yet lies here, from `start` to `end`. */
  #source: Buffer;
  #start = 0;
  #end = 0;
  #isWaiting = false;
  /** Whether it was looked at since it began to wait. */
  #wasWaiting = false;
  #isWrittenOff = false;
  /** How much it has to read before it is lent a buffer. */
  #restBytes = 0;

  constructor({ from, to, buffers, onRead, onPaused, onWritten }: BusyReadsOptions) {
    this.#from = from;
    this.#to = to;
    this.#buffers = buffers;
    this.#tellRead = onRead;
    this.#tellPaused = onPaused;
    this.#tellWritten = onWritten;
    this.#source = buffers.shared;
    this.#pool = buffers.middle;
  }

  /** How many bytes were read and are not handed to `to` yet. */
  get heldBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes the reads of `from` over, in which nothing may be waiting. Returns whether it can be done. */
  start(): boolean {
    const { reads } = this.#buffers;
    if (!reads.canTake(this.#to)) return false;
    if (!reads.take(this.#from, { nextBuffer: this.#nextBuffer, onRead: this.#onRead })) return false;
    if (this.#to.writableLength > 0) this.#wait();
    else this.#from.resume();
    return true;
  }

  /** To be called after each write, when it is counted. */
  onWritten(): void {
    if (!this.#isWaiting || this.#to.writableLength > 0 || !this.#writeHeld()) return;
    this.#isWaiting = false;
    this.#giveBack();
    this.#from.resume();
  }

  /** To be called now and then while `from` is paused. The second time in one wait shows that it lasts. */
  checkWait(): void {
    if (!this.#isWaiting) return;
    if (this.#wasWaiting) this.#onLastingWait();
    this.#wasWaiting = true;
  }

  /**
   * Hands everything to `to` that is still held, because nothing follows. There is something only if somebody else resumed
   * `from`: while that is paused, its end is not read. Then the count stands still until the whole rest has gone out, for
   * `to` joins what waits in it to one write, in however many pieces it comes.
   */
  finish(): void {
    if (this.heldBytes > 0) this.#write(this.#end);
    if (this.#to.writableLength === 0) this.#giveBack();
  }

  /** Gives back what it has. To be called when both sockets have closed. */
  stop(): void {
    this.#giveBack();
  }

  /** The lent one, unless its bytes are still to be written: if somebody else resumes `from` meanwhile, it has to read, too. */
  readonly #nextBuffer = (): Buffer =>
    this.#lent === undefined || this.#isWaiting ? this.#buffers.shared : this.#lent;

  readonly #onRead = (length: number, buffer: Uint8Array): void => {
    this.#tellRead(length);
    const isFull = length === buffer.length;
    const source = buffer === this.#lent ? this.#lent : this.#copyShared(length);
    if (this.#isWaiting) {
      // It was paused, but somebody else resumed it.
      this.#append(source, length);
      this.#pause();
      return;
    }
    this.#source = source;
    this.#start = 0;
    this.#end = length;
    if (this.#writeHeld()) this.#fit(length, isFull);
    else this.#wait();
  };

  /** What was read into the shared buffer, in another one: to be lent if there seems to be more. */
  #copyShared(length: number): Buffer {
    const { shared } = this.#buffers;
    if (length === shared.length && !this.#isWaiting) {
      if (this.#restBytes > 0) this.#restBytes -= length;
      else this.#borrow();
    }
    if (this.#lent === undefined || this.#isWaiting) return Buffer.from(shared.subarray(0, length));
    shared.copy(this.#lent);
    return this.#lent;
  }

  /** When all that was read is written: a read that filled its buffer wants a larger one, another one needs none. */
  #fit(length: number, isFull: boolean): void {
    const { large, middle } = this.#buffers;
    if (!isFull || this.#lent === undefined) {
      if (length <= middle.bufferBytes) this.#pool = middle;
      this.#giveBack();
    } else if (length === middle.bufferBytes) {
      this.#giveBack();
      this.#pool = large;
      this.#borrow();
    }
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#wasWaiting = false;
    this.#pause();
  }

  #pause(): void {
    this.#from.pause();
    this.#tellPaused();
  }

  /** The write under way reads from the buffer until it is done, whoever else may need one. */
  #onLastingWait(): void {
    this.#restBytes = probationBytes;
    if (this.#lent === undefined || this.#isWrittenOff) return;
    this.#isWrittenOff = this.#poolOf(this.#lent).writeOff();
  }

  /** Writes what is held, piece by piece, as long as each is taken at once. Returns whether all of it was. */
  #writeHeld(): boolean {
    while (this.heldBytes > 0) {
      this.#write(Math.min(this.#end, this.#start + maxWriteBytes));
      if (this.#to.writableLength > 0) return false;
    }
    return true;
  }

  #write(end: number): void {
    const piece = this.#source.subarray(this.#start, end);
    this.#start = end;
    this.#to.write(piece, this.#tellWritten);
  }

  #append(source: Buffer, length: number): void {
    this.#source = Buffer.concat([this.#source.subarray(this.#start, this.#end), source.subarray(0, length)]);
    this.#start = 0;
    this.#end = this.#source.length;
  }

  /** A large one if there is one, or else a middle one. */
  #borrow(): void {
    this.#lent = this.#pool.take();
    if (this.#lent !== undefined || this.#pool === this.#buffers.middle) return;
    this.#pool = this.#buffers.middle;
    this.#lent = this.#pool.take();
  }

  #giveBack(): void {
    const lent = this.#lent;
    const isWrittenOff = this.#isWrittenOff;
    this.#lent = undefined;
    this.#isWrittenOff = false;
    this.#source = this.#buffers.shared;
    if (lent === undefined) return;
    if (isWrittenOff) this.#poolOf(lent).forget();
    else this.#poolOf(lent).give(lent);
  }

  #poolOf(buffer: Buffer): BufferPool {
    const { large, middle } = this.#buffers;
    return buffer.length === large.bufferBytes ? large : middle;
  }
}
