import type { ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import type { NodeRequest } from "./node-http.js";

/** What has been read of requests that somebody else is to read from their beginning. */
const begun = new WeakMap<object, readonly Uint8Array[]>();

/** Puts back what was read of a request: {@link bodyOf} begins with it. */
export function putBack(source: NodeRequest | ServerHttp2Stream, chunks: readonly Uint8Array[]): void {
  begun.set(source, chunks);
}

/** Whether something was read of a request and put back. */
export function wasPutBack(request: NodeRequest): boolean {
  return begun.has(sourceOf(request));
}

/**
 * The body of a request. Unlike the one that connect-node makes it does not take the connection down with it when it is not
 * read to its end, so that a caller who sends too much still gets an answer.
 */
export async function* bodyOf(request: NodeRequest): AsyncGenerator<Uint8Array, void, undefined> {
  const source = sourceOf(request);
  yield* begun.get(source) ?? [];
  if (source.readableEnded) return;
  const rest: AsyncIterable<Uint8Array> = source.iterator({ destroyOnReturn: false });
  for await (const chunk of rest) yield onItsOwn(chunk);
}

/** How much of a body says how long it is: what an envelope has before its message. */
const beginningLength = 5;

export interface CollectOptions {
  /**
   * How many bytes it may have. Asked with its beginning, until there are five bytes of it: whoever says at once that more is
   * to come than may, or nothing that is to be understood, can wait for its answer before sending the rest.
   */
  readonly maxLength: (beginning: Uint8Array) => number;
  /** Is given the whole body. */
  readonly onWhole: (body: Uint8Array) => void;
  /**
   * Asked, once it is as long as it may be, whether it is of use: whoever has said all can wait for the answer to nonsense
   * before it ends. If it is not, it is taken for one that is longer.
   */
  readonly isUseful: (body: Uint8Array) => boolean;
  /** Called as soon as it is longer: {@link bodyOf} has it from its beginning. */
  readonly onLong: () => void;
  /** Called if it breaks off. */
  readonly onBroken: () => void;
}

/** Reads the body of a request or of its stream to the end, if that is not far. */
export function collectBody(
  source: NodeRequest | ServerHttp2Stream,
  { maxLength, isUseful, onWhole, onLong, onBroken }: CollectOptions,
): void {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let longest = 0;
  const readable: Readable = source;
  const stop = (): void => {
    readable.off("data", onData);
    readable.off("end", onEnd);
    readable.off("close", onClose);
  };
  const onData = (chunk: Buffer): void => {
    const [first] = chunks;
    if (first === undefined) {
      // Most bodies come in one go, and are not kept.
      chunks.push(chunk);
    } else {
      chunks[0] = onItsOwn(first);
      chunks.push(onItsOwn(chunk));
    }
    if (length < beginningLength) longest = maxLength(joined(chunks));
    length += chunk.length;
    if (length < longest || (length === longest && isUseful(joined(chunks)))) return;
    stop();
    readable.pause();
    putBack(source, chunks);
    onLong();
  };
  const onEnd = (): void => {
    stop();
    if (wasReset(source)) onBroken();
    else onWhole(joined(chunks));
  };
  const onClose = (): void => {
    stop();
    onBroken();
  };
  readable.on("data", onData);
  readable.on("end", onEnd);
  readable.on("close", onClose);
}

/** A stream of HTTP/2 that is reset can end before it closes, with what had come of it. */
function wasReset(source: NodeRequest | ServerHttp2Stream): boolean {
  const carrier = "stream" in source ? source.stream : source;
  return carrier.closed;
}

/** How many times as much memory as it has bytes a piece of a body may keep. */
const maxKeptPerByte = 4;

/** A piece of a body keeps all of the read in which it came, which can be 64 KiB for one byte: a small one is copied. */
function onItsOwn(chunk: Uint8Array): Uint8Array {
  return chunk.buffer.byteLength > maxKeptPerByte * chunk.length ? new Uint8Array(chunk) : chunk;
}

const empty = Buffer.alloc(0);

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first = empty] = chunks;
  return chunks.length > 1 ? Buffer.concat(chunks) : first;
}

/** What was read of a stream was read before it was a request. */
function sourceOf(request: NodeRequest): NodeRequest | ServerHttp2Stream {
  return "stream" in request && begun.has(request.stream) ? request.stream : request;
}
