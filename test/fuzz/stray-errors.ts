const rejection = "unhandledRejection";

/**
 * Runs something, and fails with the first error that nobody handled meanwhile: an exception out of some callback, or a
 * rejected promise that nobody waits for. The test runner would only say that there was one, not for which input.
 */
export async function failOnStrayErrors(run: () => Promise<void>): Promise<void> {
  const strays: unknown[] = [];
  const note = (error: unknown): void => {
    strays.push(error);
  };
  const runnersListeners = process.rawListeners(rejection) as NodeJS.UnhandledRejectionListener[];
  process.removeAllListeners(rejection);
  process.on(rejection, note);
  process.setUncaughtExceptionCaptureCallback(note);
  try {
    await run();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
    process.removeAllListeners(rejection);
    for (const listener of runnersListeners) process.on(rejection, listener);
  }
  const [first] = strays;
  if (strays.length > 0) throw new Error("an error that nobody handled", { cause: first });
}
