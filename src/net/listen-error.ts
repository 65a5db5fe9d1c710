import { formatEndpoint, type Endpoint } from "./endpoint.js";
import { errorCodeOf } from "./system-error.js";

const reasons: ReadonlyMap<string | undefined, string> = new Map([
  ["EADDRINUSE", "address in use"],
  ["EADDRNOTAVAIL", "address not available on this machine"],
  ["EACCES", "permission denied"],
  ["ENOTFOUND", "name does not resolve"],
]);

/** A listener could not be opened. The message names the address and the reason. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code = "LISTEN_FAILED";

  constructor(endpoint: Endpoint, cause: Error) {
    const reason = reasons.get(errorCodeOf(cause)) ?? cause.message;
    super(`listen ${formatEndpoint(endpoint)}: ${reason}`, { cause });
  }
}
