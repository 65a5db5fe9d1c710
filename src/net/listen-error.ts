import { formatListenAddress, type ListenAddress } from "./listen-address.js";
import { errorCodeOf } from "./system-error.js";

const reasons: ReadonlyMap<string | undefined, string> = new Map([
  ["EADDRINUSE", "address in use"],
  ["EADDRNOTAVAIL", "address not available on this machine"],
  ["EACCES", "permission denied"],
  ["ENOTFOUND", "name does not resolve"],
  ["ENOENT", "its folder does not exist"],
  ["ENOTDIR", "its folder is none"],
  ["EROFS", "its file system is read-only"],
]);

/** A listener could not be opened. The message names the address and the reason; `cause` is the system's error. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** Tells this error from others. The system's own, such as `EADDRINUSE`, is that of the `cause`. */
  readonly code = "LISTEN_FAILED";

  /**
   * @param address - Where it was to listen.
   * @param cause - The error of the system.
   */
  constructor(address: ListenAddress, cause: Error) {
    const reason = reasons.get(errorCodeOf(cause)) ?? cause.message;
    super(`listen ${formatListenAddress(address)}: ${reason}`, { cause });
  }
}
