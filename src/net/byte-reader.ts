import type { Duplex } from "node:stream";

/** What a parser makes of the bytes at the start of a stream. It never throws on short input: it asks for more. */
export type ParseResult<T> =
  | {
      readonly kind: "done";
      readonly value: T;
      /** How many bytes the value took; 0 to look without taking. */
      readonly length: number;
    }
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly reason: string };

/** Reads a value from the bytes that have arrived so far. It must ask for a bounded number of them. */
export type Parser<T> = (bytes: Buffer) => ParseResult<T>;

/** What became of the value: the stream ended or failed before it, it took too long, or it is none. */
export type ReadErrorCode = "closed" | "timeout" | "malformed";

/** Why no value could be read. */
export class ReadError extends Error {
  override readonly name = "ReadError";
  readonly code: ReadErrorCode;

  constructor(code: ReadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface ReadOptions {
  /** How long to wait for the whole value, in milliseconds. Default: no limit. */
  readonly timeoutMs?: number;
}

const noBytes: Buffer = Buffer.alloc(0);

/**
 * Reads one value from a stream that nobody else is reading, and leaves every byte behind it in the stream: what a
 * client sends in the same segment as its request is there for the next reader.
 *
 * @throws ReadError `malformed` with the parser's reason, `closed` if the stream ends or fails before the value is
 *   whole, `timeout`. The stream itself is left open.
 */
export async function readParsed<T>(
  stream: Duplex,
  parse: Parser<T>,
  { timeoutMs }: ReadOptions = {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let held: Buffer = noBytes;
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
    stream.on("readable", onReadable);
    stream.on("end", onClosed);
    stream.on("close", onClosed);
    stream.on("error", onError);
    if (stream.readableEnded || stream.destroyed) onClosed();

    function onReadable(): void {
      const arrived = readArrived(stream);
      // The stream says "readable" at its end, too.
      if (arrived.length === 0) return;
      held = held.length === 0 ? arrived : Buffer.concat([held, arrived]);
      const result = parse(held);
      if (result.kind === "more") return;
      stopReading();
      if (result.kind === "bad") {
        reject(new ReadError("malformed", result.reason));
        return;
      }
      if (result.length < held.length) stream.unshift(held.subarray(result.length));
      resolve(result.value);
    }

    function onClosed(): void {
      stopReading();
      reject(
        new ReadError("closed", `connection closed after ${held.length} bytes of an unfinished message`),
      );
    }

    function onError(cause: Error): void {
      stopReading();
      reject(new ReadError("closed", `connection failed: ${cause.message}`, { cause }));
    }

    function onTimeout(): void {
      stopReading();
      reject(new ReadError("timeout", `no complete message within ${String(timeoutMs)} ms`));
    }

    function stopReading(): void {
      clearTimeout(timer);
      stream.off("readable", onReadable);
      stream.off("end", onClosed);
      stream.off("close", onClosed);
      stream.off("error", onError);
    }
  });
}

/** Everything that has arrived on a stream and that nobody has taken. It is taken with that: `unshift()` puts it back. */
export function readArrived(stream: Duplex): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk: unknown = stream.read();
    if (!Buffer.isBuffer(chunk)) break;
    chunks.push(chunk);
  }
  const [only, ...others] = chunks;
  if (only === undefined) return noBytes;
  return others.length === 0 ? only : Buffer.concat(chunks);
}
