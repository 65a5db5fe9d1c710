import type { IncomingHttpHeaders } from "node:http";
import { isEnveloped } from "./content-type.js";

/**
 * How many requests were found to be too large and are not refused yet. Whoever finds one out (at the envelope, or while it
 * is inflated) does not know the call, and the call does not learn what its request is refused for.
 */
export class LargeRequests {
  #count = 0;

  /** One more. */
  readonly add = (): void => {
    this.#count += 1;
  };

  /** To be called for each request that is refused. @returns whether there was one that is too large. */
  takeOne(): boolean {
    if (this.#count === 0) return false;
    this.#count -= 1;
    return true;
  }
}

/** Of a message's envelope: a byte of flags, four of length. */
const envelopeLength = 5;

export interface RequestSizeOptions {
  /** How large a message may be. */
  readonly maxBytes: number;
  /** Called once for a request whose message is larger. */
  readonly onLarge: () => void;
}

/**
 * Watches the body of a request on its way, and tells if its message is larger than it may be: as soon as the envelope says
 * so, or without one the header. To refuse it is Connect's business, whose answer does not tell what for.
 */
export function watchRequestSize(
  body: AsyncIterable<Uint8Array>,
  headers: IncomingHttpHeaders,
  options: RequestSizeOptions,
): AsyncIterable<Uint8Array> {
  const hasEnvelope = isEnveloped(headers["content-type"] ?? "");
  if (hasEnvelope || !(Number(headers["content-length"]) > options.maxBytes)) {
    return watchChunks(body, hasEnvelope, options);
  }
  // Nobody is going to read it.
  options.onLarge();
  return body;
}

async function* watchChunks(
  body: AsyncIterable<Uint8Array>,
  hasEnvelope: boolean,
  { maxBytes, onLarge }: RequestSizeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head = Buffer.alloc(0);
  let length = 0;
  let isLarge = false;
  for await (const chunk of body) {
    length += chunk.length;
    if (head.length < envelopeLength) head = Buffer.concat([head, chunk.subarray(0, envelopeLength)]);
    if (!isLarge && (hasEnvelope ? lengthIn(head) : length) > maxBytes) {
      isLarge = true;
      onLarge();
    }
    yield chunk;
  }
}

function lengthIn(head: Buffer): number {
  return head.length < envelopeLength ? 0 : head.readUInt32BE(1);
}
