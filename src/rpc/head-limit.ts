import type { ApiLimits } from "./api-limits.js";
import type { NodeHandler, NodeRequest } from "./node-http.js";
import type { RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";

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

/** HTTP/2's own fields (`:path` and so on) are no headers, as the line of a request is none in HTTP/1.1. */
function measureHead({ rawHeaders }: NodeRequest): { readonly count: number; readonly bytes: number } {
  let ownCount = 0;
  let bytes = 0;
  for (const [index, text] of rawHeaders.entries()) {
    bytes += text.length;
    if (index % 2 === 0 && text.startsWith(":")) ownCount += 1;
  }
  return { count: rawHeaders.length / 2 - ownCount, bytes };
}
