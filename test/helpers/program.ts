import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { withTimeout } from "./timing.js";

/** What a program that has ended left behind. */
export interface ProgramResult {
  /** `undefined` if a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Default: nothing, an empty stdin. */
  readonly input?: Uint8Array;
  /** Default: that of the tests. */
  readonly cwd?: string;
  /** Variables of its environment, beside or instead of those of the tests. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take, in milliseconds. Default: 20,000. */
  readonly timeoutMs?: number;
}

const running = new Set<ChildProcess>();
// A test run that is ended early leaves no program behind.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs a program to its end; one that takes too long is killed, and the test fails. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { input, cwd, env = {}, timeoutMs = 20_000 }: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
  killAtExit(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program need not read all that it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  try {
    await withTimeout(once(child, "close"), timeoutMs, [file, ...args].join(" "));
  } finally {
    child.kill("SIGKILL");
  }
  return {
    code: child.exitCode ?? undefined,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Sees to it that the child does not outlive the test run. */
export function killAtExit(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}
