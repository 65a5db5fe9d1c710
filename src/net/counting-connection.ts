import { Duplex } from "node:stream";
import { addToAll, type ByteSink, type ConnectionSinks } from "./byte-sink.js";
import { hasGoneOut, maxWriteBytes } from "./counted-writes.js";
import { forwardEvents, forwardMembers, prototypesOf } from "./forward-members.js";
import { resetConnection } from "./reset.js";
import { toError } from "./system-error.js";

/** A connection with its counting taken off, for whoever moves the bytes and counts them itself. */
export interface UnwrappedConnection extends ConnectionSinks {
  /** What was wrapped. */
  readonly connection: Duplex;
}

/**
 * Wraps a client connection so that all its bytes are counted: uplink when they were read from it, downlink when a
 * write to it succeeded. A count is never ahead of what the kernel took and at most 256 KiB behind it.
 *
 * The wrapper can stand wherever the connection could: it has the same members and events, `http.Server` takes it by
 * `emit("connection")`, `tls.connect({ socket })` and `pipeline()` use it. From here on use only the wrapper. Bytes that a
 * protocol's parser has already read from the connection are counted if they are put back (`unshift()`) before it is
 * wrapped.
 *
 * @param connection - A socket, TLS socket or any other Duplex of bytes.
 * @param sinks - Who is told of them; counters, for example.
 * @returns what stands in for it.
 * @throws TypeError for a stream in object mode, which carries no bytes.
 */
export function countConnection<C extends Duplex>(connection: C, sinks: ConnectionSinks): C {
  if (connection.readableObjectMode || connection.writableObjectMode) {
    throw new TypeError("cannot count the bytes of a stream in object mode");
  }
  const wrapper: Duplex = new (wrapperClassFor(connection))(connection, sinks);
  // The members that C adds to Duplex are forwarded at run time, which no type can say.
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions
  return wrapper as C;
}

/**
 * Takes the counting off a connection, as many layers as it has, down to the connection itself or to a wrapper of
 * somebody else. The wrappers must not be used afterwards. What is not wrapped, or has been used through its wrapper
 * already, is returned as it is, with no sinks.
 */
export function unwrapConnection(connection: Duplex): UnwrappedConnection {
  const uplink: ByteSink[] = [];
  const downlink: ByteSink[] = [];
  let current = connection;
  for (;;) {
    const peeled = CountingConnection.peel(current);
    if (peeled === undefined) return { connection: current, uplink, downlink };
    uplink.push(...peeled.uplink);
    downlink.push(...peeled.downlink);
    current = peeled.connection;
  }
}

/**
 * States: untouched (nothing listens to the data of the wrapped stream yet, so the wrapper can still be taken off) → in
 * use → destroyed. An error or the close of the wrapped stream ends the wrapper, except that what was read before its
 * end stays readable.
 */
class CountingConnection extends Duplex {
  readonly #inner: Duplex;
  readonly #sinks: ConnectionSinks;
  readonly #innerAllowedHalfOpen: boolean;
  #reading = false;
  #writing = false;

  constructor(inner: Duplex, sinks: ConnectionSinks) {
    super({
      allowHalfOpen: inner.allowHalfOpen,
      readableHighWaterMark: inner.readableHighWaterMark,
      writableHighWaterMark: inner.writableHighWaterMark,
    });
    this.#inner = inner;
    this.#sinks = sinks;
    this.#innerAllowedHalfOpen = inner.allowHalfOpen;
    // Its end is the wrapper's to answer, when the wrapper's reader has seen it and everything written is out.
    inner.allowHalfOpen = true;
    forwardMembers<CountingConnection>(this, inner, CountingConnection.innerOf);
    forwardEvents(this, inner);
    inner.on("error", this.#onError);
    inner.on("close", this.#onClose);
    // As the wrapped stream had to have one: a reset connection must not end the process.
    this.on("error", ignore);
    if (inner.errored !== null) this.destroy(inner.errored);
    else if (inner.closed) this.#onClose();
  }

  static innerOf(this: void, wrapper: CountingConnection): Duplex {
    return wrapper.#inner;
  }

  /** Takes one layer off, if the stream is a wrapper and untouched. */
  static peel(stream: Duplex): UnwrappedConnection | undefined {
    if (!(stream instanceof CountingConnection) || !stream.#isUntouched) return undefined;
    const inner = stream.#inner;
    inner.off("error", stream.#onError);
    inner.off("close", stream.#onClose);
    inner.allowHalfOpen = stream.#innerAllowedHalfOpen;
    return { connection: inner, ...stream.#sinks };
  }

  /** Whether nothing has passed through the wrapper yet. */
  get #isUntouched(): boolean {
    const isEmpty = this.readableLength === 0 && this.writableLength === 0;
    return !this.#reading && !this.#writing && isEmpty && !this.destroyed;
  }

  /** As of `net.Socket`: destroys once everything written is out. The wrapped stream's own would not wait for us. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** As of `net.Socket`: ends the connection with a reset where the wrapped stream can, else destroys it. */
  resetAndDestroy(): this {
    resetConnection(this.#inner);
    return this.destroy();
  }

  override _read(): void {
    if (this.#reading) {
      this.#inner.resume();
      return;
    }
    this.#reading = true;
    if (this.#inner.readableEnded) {
      this.push(null);
      return;
    }
    this.#inner.on("end", () => this.push(null));
    this.#inner.on("data", this.#onData);
    // It may have been paused on purpose until somebody reads.
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#writeAll([chunk], callback);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#writeAll(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#inner.writableFinished) callback();
    else this.#inner.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#inner.destroy(error ?? undefined);
    callback(error);
  }

  /** Writes the chunks in batches of at most {@link maxWriteBytes}, each counted when the wrapped stream has taken it. */
  #writeAll(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#writing = true;
    const batches = toBatches(chunks);
    const writeNext = (): void => {
      const batch = batches.shift();
      if (batch === undefined) {
        callback();
        return;
      }
      writeBatch(this.#inner, batch, (error) => {
        if (!hasGoneOut(this.#inner, error)) {
          callback(error ?? new Error("connection destroyed while writing"));
          return;
        }
        addToAll(this.#sinks.downlink, byteLengthOf(batch));
        writeNext();
      });
    };
    writeNext();
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const bytes =
      typeof chunk === "string" ? Buffer.from(chunk, this.#inner.readableEncoding ?? "utf8") : chunk;
    addToAll(this.#sinks.uplink, bytes.length);
    if (!this.push(bytes)) this.#inner.pause();
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  readonly #onClose = (): void => {
    const inner = this.#inner;
    // Both directions ended in order: so will the wrapper's, as soon as what it still holds is read.
    if (inner.readableEnded && inner.writableFinished) return;
    if (inner.readableEnded && !this.readableEnded) this.once("end", () => this.destroy());
    else this.destroy();
  };
}

/**
 * One subclass for each kind of stream that was wrapped, so that the members of that kind are looked up once and not for
 * each connection.
 */
const wrapperClasses = new WeakMap<object, typeof CountingConnection>();

function wrapperClassFor(stream: Duplex): typeof CountingConnection {
  const [kind = Duplex.prototype, ...inherited] = prototypesOf(stream);
  const existing = wrapperClasses.get(kind);
  if (existing !== undefined) return existing;
  const wrapperClass = class extends CountingConnection {};
  for (const holder of [kind, ...inherited]) {
    forwardMembers<CountingConnection>(wrapperClass.prototype, holder, CountingConnection.innerOf);
  }
  wrapperClasses.set(kind, wrapperClass);
  return wrapperClass;
}

function ignore(): void {
  // Whoever uses the wrapper may listen, and need not.
}

function toBatches(chunks: readonly Buffer[]): Buffer[][] {
  const batches: Buffer[][] = [];
  let batch: Buffer[] = [];
  let room = maxWriteBytes;
  for (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > room) {
      batch.push(rest.subarray(0, room));
      rest = rest.subarray(room);
      batches.push(batch);
      batch = [];
      room = maxWriteBytes;
    }
    batch.push(rest);
    room -= rest.length;
  }
  batches.push(batch);
  return batches;
}

function writeBatch(to: Duplex, batch: readonly Buffer[], done: (error?: Error) => void): void {
  const last = batch.length - 1;
  to.cork();
  batch.forEach((chunk, index) => {
    to.write(chunk, (error) => {
      if (index === last) done(error === null || error === undefined ? undefined : toError(error));
    });
  });
  to.uncork();
}

function byteLengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
