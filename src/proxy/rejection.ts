import type { DialError, DialErrorCode } from "../net/dial-error.js";
import { formatEndpoint, type Endpoint } from "../net/endpoint.js";

/** Why a client gets no connection: its destination could not be reached, or a rule, here or on the way, says so. */
export type RejectionCode = Exclude<DialErrorCode, "own-listener">;

/** What a client is told in place of a connection, in its protocol's words. */
export interface Rejection {
  readonly code: RejectionCode;
  /** For the person at the client, in one line. */
  readonly message: string;
}

/** What a client is told where we ourselves do not let it through. */
export const blockedHere: Rejection = { code: "blocked", message: "blocked by the proxy's rules" };

/**
 * What a client is told of a dial that failed. The error's own message is for the log: it may tell of our way there, of
 * another proxy and our login at it, which is none of the client's business.
 */
export function toRejection({ code }: DialError, destination: Endpoint): Rejection {
  // Where we listen is none of it, either.
  if (code === "own-listener") return blockedHere;
  return { code, message: `connect to ${formatEndpoint(destination)}: ${reasons[code]}` };
}

const reasons: Readonly<Record<RejectionCode, string>> = {
  blocked: "not allowed by a proxy on the way",
  refused: "connection refused",
  "network-unreachable": "network unreachable",
  "host-unreachable": "host unreachable",
  unresolved: "its name has no address",
  timeout: "no answer in time",
  aborted: "given up",
  failed: "no connection came about",
};

/** A rejection to be thrown, where it is not yet time to tell the client. */
export class RejectedError extends Error implements Rejection {
  override readonly name = "RejectedError";
  readonly code: RejectionCode;

  constructor({ code, message }: Rejection, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
