import { toError } from "../net/system-error.js";

/**
 * A part of an app could not be started; what had been started before it is stopped again. The message names the part
 * and says what was in the way, which is the `cause`: a `ListenError` as a rule.
 */
export class StartError extends Error {
  override readonly name = "StartError";
  /** Tells this error from others. */
  readonly code = "START_FAILED";

  /**
   * @param part - Which part, as the message names it.
   * @param cause - What was thrown.
   */
  constructor(part: string, cause: unknown) {
    super(`${part}: ${toError(cause).message}`, { cause });
  }
}
