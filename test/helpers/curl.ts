import type { TestContext } from "node:test";
import { Origin } from "./origin.js";
import { runProgram, type ProgramOptions, type ProgramResult } from "./program.js";
import { createTempDir } from "./temp-dir.js";

/** Runs curl, silent but for its errors, and with any certificate. */
export async function curl(args: readonly string[], options?: ProgramOptions): Promise<ProgramResult> {
  return runProgram("curl", ["-sS", "-k", ...args], options);
}

/** A file to upload with its length: curl takes no length from a stream. */
export function writeBody(t: TestContext, body: Buffer): string {
  return createTempDir(t).write("body", body);
}

/** An origin for one test. */
export async function startOrigin(t: TestContext, scheme: "http" | "https" = "http"): Promise<Origin> {
  const origin = await new Origin(scheme).start();
  t.after(async () => origin[Symbol.asyncDispose]());
  return origin;
}
