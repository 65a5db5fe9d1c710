/** The code of a system error (`ECONNREFUSED`), or `undefined` for anything else that was thrown. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A thrown value as an Error, for the places where an event or a callback wants one. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
