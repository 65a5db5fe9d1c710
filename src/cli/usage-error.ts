/** What is wrong with the arguments of a command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Whether the arguments were refused, by a command or by `node:util`'s parseArgs. */
export function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return (
    error instanceof TypeError &&
    "code" in error &&
    typeof error.code === "string" &&
    error.code.startsWith("ERR_PARSE_ARGS")
  );
}
