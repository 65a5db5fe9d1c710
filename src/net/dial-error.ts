import { errorCodeOf } from "./system-error.js";

/** Why no connection to a destination came about; `blocked`: a proxy on the way there does not allow it. */
export type DialErrorCode =
  | "blocked"
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

/** What a failed connect(2) or look-up means for a dial. */
export function dialErrorCodeOf(error: unknown): DialErrorCode {
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
