import type { DialErrorCode } from "../net/dial-error.js";

/** Why a client gets no connection: its destination could not be reached, or a rule, here or on the way, says so. */
export type RejectionCode = DialErrorCode;

/** What a client is told in place of a connection, in its protocol's words. */
export interface Rejection {
  readonly code: RejectionCode;
  /** For a person. */
  readonly message: string;
}

/** A rejection to be thrown, where it is not yet time to tell the client. */
export class RejectedError extends Error implements Rejection {
  override readonly name = "RejectedError";
  readonly code: RejectionCode;

  constructor({ code, message }: Rejection, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
