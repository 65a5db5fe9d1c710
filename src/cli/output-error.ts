import { getSystemErrorMap } from "node:util";

/** What a command was to print could not be written. */
export class OutputError extends Error {
  override readonly name = "OutputError";

  /**
   * @param cause - What writing failed with.
   * @param isLost - Whether nobody can read it again.
   */
  constructor(cause: Error, { isLost }: { readonly isLost: boolean }) {
    const loss = isLost ? ", and what was reset is lost" : "";
    super(`the output cannot be written (${reasonOf(cause)})${loss}`, { cause });
  }
}

function reasonOf(cause: Error): string {
  const errno = "errno" in cause && typeof cause.errno === "number" ? cause.errno : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? cause.message;
}
