import { formatEndpoint, type Endpoint } from "./endpoint.js";
import { errorCodeOf } from "./system-error.js";

/**
 * Why no connection to a destination came about; `blocked`: a proxy on the way there does not allow it; `own-listener`: it
 * leads to where the app itself listens.
 */
export type DialErrorCode =
  | "blocked"
  | "own-listener"
  | "refused"
  | "network-unreachable"
  | "host-unreachable"
  | "unresolved"
  | "timeout"
  | "aborted"
  | "failed";

/** No connection to a destination came about. The message names the destination and the reason. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code: DialErrorCode;

  constructor(code: DialErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why nothing is sent to where the app itself listens, in words. */
export function ownListenerError(endpoint: Endpoint): DialError {
  return new DialError("own-listener", `the proxy itself listens on ${formatEndpoint(endpoint)}`);
}

/** What a failed connect(2) or look-up means for a dial. */
export function dialErrorCodeOf(error: unknown): DialErrorCode {
  if (error instanceof DialError) return error.code;
  return codes.get(errorCodeOf(error)) ?? "failed";
}

const codes: ReadonlyMap<string | undefined, DialErrorCode> = new Map([
  ["ECONNREFUSED", "refused"],
  ["ENETUNREACH", "network-unreachable"],
  ["EHOSTUNREACH", "host-unreachable"],
  ["ENOTFOUND", "unresolved"],
  ["EAI_AGAIN", "unresolved"],
  ["ETIMEDOUT", "timeout"],
]);
