import type { ApiLimits } from "./api-limits.js";
import type { NodeHandler } from "./node-http.js";
import type { RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";
import type { StreamHead, StreamTaker } from "./stream-taker.js";

export interface HeadLimitOptions {
  readonly limits: Required<Pick<ApiLimits, "maxHeaders" | "maxHeaderBytes">>;
  /** Told of every request that is refused. */
  readonly refusals: RefusalTally;
}

/** Requests with too large a head never reach the handler behind this. */
export function limitHeads(
  handler: NodeHandler,
  { limits: { maxHeaders, maxHeaderBytes }, refusals }: HeadLimitOptions,
): NodeHandler {
  return (request, response) => {
    const { count, bytes } = measureHead(request);
    if (count <= maxHeaders && bytes <= maxHeaderBytes) {
      handler(request, response);
      return;
    }
    refusals.large_headers += 1;
    const excess =
      count > maxHeaders
        ? `${count} headers, at most ${maxHeaders} are allowed`
        : `${bytes} bytes of headers, at most ${maxHeaderBytes} are allowed`;
    refuse(request, response, "largeHeaders", excess);
  };
}

/** The same in front of who takes streams: one with a larger head is not shown to it, and so goes on as a request. */
export function limitStreamHeads(
  take: StreamTaker,
  { maxHeaders, maxHeaderBytes }: HeadLimitOptions["limits"],
): StreamTaker {
  return (stream, head, handOver) => {
    const { count, bytes } = measureHead(head);
    return count <= maxHeaders && bytes <= maxHeaderBytes && take(stream, head, handOver);
  };
}

/** HTTP/2's own fields (`:path` and so on) are no headers, as the line of a request is none in HTTP/1.1. */
function measureHead({ rawHeaders }: Pick<StreamHead, "rawHeaders">): {
  readonly count: number;
  readonly bytes: number;
} {
  let ownCount = 0;
  let bytes = 0;
  let isName = true;
  for (const text of rawHeaders) {
    bytes += text.length;
    if (isName && text.startsWith(":")) ownCount += 1;
    isName = !isName;
  }
  return { count: rawHeaders.length / 2 - ownCount, bytes };
}
