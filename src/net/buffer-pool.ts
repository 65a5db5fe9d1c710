export interface BufferPoolOptions {
  /** How large each buffer is, in bytes. */
  readonly bufferBytes: number;
  /** How many are lent at most. As many again may be written off. */
  readonly maxCount: number;
  /** How long a buffer that nobody needs is kept, in milliseconds; at most twice that. Default: 1,000. */
  readonly keepMs?: number;
}

/** A bounded number of buffers, to be lent and given back. They come into being when they are needed. */
export class BufferPool {
  /** How large each buffer is, in bytes. */
  readonly bufferBytes: number;
  readonly #maxCount: number;
  readonly #keepMs: number;
  readonly #free: Buffer[] = [];
  #lentCount = 0;
  #writtenOffCount = 0;
  /** How many were free all the time since it was last looked. */
  #unneededCount = 0;
  #isWatched = false;

  constructor({ bufferBytes, maxCount, keepMs = 1_000 }: BufferPoolOptions) {
    this.bufferBytes = bufferBytes;
    this.#maxCount = maxCount;
    this.#keepMs = keepMs;
  }

  /** How many buffers are lent. */
  get lentCount(): number {
    return this.#lentCount;
  }

  /** How many buffers were written off, and are still in use. */
  get writtenOffCount(): number {
    return this.#writtenOffCount;
  }

  /** How many buffers wait for somebody to need them. */
  get freeCount(): number {
    return this.#free.length;
  }

  /** A buffer with whatever it held before, to be given back; `undefined` if all of them are lent. */
  take(): Buffer | undefined {
    if (this.#lentCount === this.#maxCount) return undefined;
    this.#lentCount += 1;
    // The last one is the likeliest to be in the processor's cache.
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
    this.#unneededCount = Math.min(this.#unneededCount, this.#free.length);
    return buffer;
  }

  /** Takes a buffer back, once, when nobody reads or writes it any more. */
  give(buffer: Buffer): void {
    this.#lentCount -= 1;
    this.#free.push(buffer);
    if (!this.#isWatched) this.#watch();
  }

  /**
   * Lets another buffer be lent in the place of one whose borrower cannot say when he gives it back.
   *
   * @returns whether it could be done. Then he keeps it, and says {@link BufferPool.forget} instead of giving it back.
   */
  writeOff(): boolean {
    if (this.#writtenOffCount === this.#maxCount) return false;
    this.#lentCount -= 1;
    this.#writtenOffCount += 1;
    return true;
  }

  /** To be called once for each buffer that was written off, when nobody reads or writes it any more. */
  forget(): void {
    this.#writtenOffCount -= 1;
  }

  #watch(): void {
    this.#isWatched = true;
    setTimeout(this.#drop, this.#keepMs).unref();
  }

  readonly #drop = (): void => {
    this.#free.splice(0, this.#unneededCount);
    this.#unneededCount = this.#free.length;
    this.#isWatched = false;
    if (this.#free.length > 0) this.#watch();
  };
}
