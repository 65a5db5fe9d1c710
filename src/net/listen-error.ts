import { formatEndpoint, type Endpoint } from "./endpoint.js";
import { errorCodeOf } from "./system-error.js";

const reasons: ReadonlyMap<string | undefined, string> = new Map([
  ["EADDRINUSE", "address in use"],
  ["EADDRNOTAVAIL", "address not available on this machine"],
  ["EACCES", "permission denied"],
  ["ENOTFOUND", "name does not resolve"],
]);

/** A listener could not be opened. The message names the address and the reason; `cause` is the system's error. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** Tells this error from others. The system's own, such as `EADDRINUSE`, is that of the `cause`. */
  readonly code = "LISTEN_FAILED";

  /**
   * @param endpoint - Where it was to listen.
   * @param cause - The error of the system.
   */
  constructor(endpoint: Endpoint, cause: Error) {
    const reason = reasons.get(errorCodeOf(cause)) ?? cause.message;
    super(`listen ${formatEndpoint(endpoint)}: ${reason}`, { cause });
  }
}
