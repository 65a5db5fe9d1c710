import type { Http2Session, ServerHttp2Stream } from "node:http2";
import { isEnding } from "./late-destroy.js";

/** Sessions on which a request was answered to its end. */
const known = new WeakSet<Http2Session>();

/** Notes that a session has had an answer: from then on its client is no newcomer. */
export function noteAnswer(session: Http2Session): void {
  known.add(session);
}

/**
 * Handles a request when it is clear that it is wanted: hundreds can come, and be cancelled, in the same bytes.
 *
 * Node tells of each of them as soon as its head is read, and for a newcomer it waits until everything is read that has come.
 * Clients that have had an answer do not wait so long, since they would have to for each of their calls.
 *
 * @param isBegun - Whether its body is being read already: then it is no question any more. Default: false.
 */
export function handleWhenWanted(
  stream: ServerHttp2Stream,
  handle: () => void,
  { isBegun = false }: { readonly isBegun?: boolean } = {},
): void {
  const { session } = stream;
  const handleIfWanted = (): void => {
    if (!stream.closed && !isEnding(stream.session)) handle();
  };
  if (isBegun || (session !== undefined && known.has(session))) process.nextTick(handleIfWanted);
  else setImmediate(handleIfWanted);
}
