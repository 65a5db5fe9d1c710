import { fstatSync, writeFileSync } from "node:fs";
import type { CommandProcess, TextOutput } from "./command.js";
import { OutputError } from "./output-error.js";

export interface ResultOptions {
  /** Whether what is printed is gone from where it was read. Default: `false`. */
  readonly isReset?: boolean | undefined;
  /** Ends the wait for a reader who takes his time. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prints what a command was asked for. That the reader of a pipe has had enough (`| head`) is its right, unless it has lost
 * what nobody can read again.
 *
 * @returns whether it was taken; `false` if nobody reads any more.
 * @throws OutputError if it cannot be written.
 */
export async function printResult(
  { stdout }: Pick<CommandProcess, "stdout">,
  text: string,
  { isReset = false, signal }: ResultOptions = {},
): Promise<boolean> {
  const failure = await print(stdout, text, signal);
  if (failure === undefined) return true;
  if (!isReset && "code" in failure && failure.code === "EPIPE") return false;
  throw new OutputError(failure, { isLost: isReset });
}

/**
 * Prints, and waits until the text has left the process: whoever reads a pipe may be slow, and the end of the process would
 * cut what it has not yet taken.
 *
 * @param signal - Ends the wait. Default: never.
 * @returns why it was not taken, if it was not.
 */
export async function print(
  output: Pick<TextOutput, "write" | "fd" | "isTTY">,
  text: string,
  signal?: AbortSignal,
): Promise<Error | undefined> {
  const { fd, isTTY = false } = output;
  if (fd !== undefined && !isTTY && fstatSync(fd).isFile()) return writeToFile(fd, text);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      resolve(undefined);
    };
    signal?.addEventListener("abort", onAbort);
    output.write(text, (error) => {
      signal?.removeEventListener("abort", onAbort);
      resolve(error ?? undefined);
    });
    if (signal?.aborted === true) onAbort();
  });
}

/** Node's stream for a file takes what a full disk has room for, and says that it was all. */
function writeToFile(fd: number, text: string): Error | undefined {
  try {
    writeFileSync(fd, text);
    return undefined;
  } catch (error) {
    return toError(error);
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
