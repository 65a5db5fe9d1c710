import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { anybody, type Caller } from "./caller.js";
import type { GuardOptions } from "./guard.js";
import { createOriginJudge } from "./own-origin.js";
import { createCallerJudge } from "./secrets.js";
import type { StreamTaker } from "./stream-taker.js";
import { TrustedConnections } from "./trusted-connections.js";

/**
 * Serves a call from a stream of HTTP/2, if it is one that can be served so.
 *
 * @param admit - Tells who calls; `undefined` if the guard has more to say than yes.
 * @param handOver - Makes a request of the stream.
 * @returns whether it takes the stream.
 */
export type GuardedStreamHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  admit: () => Caller | undefined,
  handOver: () => void,
) => boolean;

/** As much of {@link GuardOptions} as tells whom the guard lets pass. */
export type StreamGuardOptions = Pick<
  GuardOptions,
  "listenHost" | "allowedOrigins" | "secrets" | "isMutual" | "trusted"
>;

/**
 * Puts the guard in front of a handler of streams. It lets only those pass to whom it would say nothing: whoever is to be
 * refused, or is a page's, goes on as a request, to be judged by {@link guard}.
 */
export function guardStreams(
  handler: GuardedStreamHandler,
  { secrets = [], isMutual = false, trusted = new TrustedConnections(), ...origins }: StreamGuardOptions,
): StreamTaker {
  const judgeOrigin = createOriginJudge(origins);
  const hasSecrets = secrets.length > 0;
  const mayNameAnyHost = isMutual || hasSecrets;
  const judgeCaller = hasSecrets ? createCallerJudge(secrets) : () => anybody;
  /** Most requests on a connection name the same. */
  let known: { readonly scheme: "http" | "https"; readonly authority: string | undefined } | undefined;

  const isOwn = (scheme: "http" | "https", authority: string | undefined): boolean => {
    if (known?.scheme === scheme && known.authority === authority) return true;
    const verdict = judgeOrigin({ scheme, authority, origin: undefined, mayNameAnyHost });
    if (verdict.kind !== "own") return false;
    known = { scheme, authority };
    return true;
  };

  return (stream, { headers }, handOver) =>
    handler(
      stream,
      headers,
      () => {
        if (isOfPage(headers) || !isOwn(schemeOf(stream), headers[":authority"])) return undefined;
        const caller = judgeCaller(headers.authorization);
        if (hasSecrets && caller !== undefined) trusted.trust(stream);
        return caller;
      },
      handOver,
    );
}

/** Browsers say of all that they ask where it comes from. */
function isOfPage(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
}

function schemeOf(stream: ServerHttp2Stream): "http" | "https" {
  return stream.session?.encrypted === true ? "https" : "http";
}
