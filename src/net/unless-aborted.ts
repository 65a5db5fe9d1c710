/**
 * What a promise settles to, unless one of the signals aborts before: then it rejects with that signal's reason. What becomes
 * of the promise from then on is nobody's matter.
 *
 * It leaves no listener behind. A race with a promise that waits for the abort would: each keeps what it was won by, for as
 * long as that promise waits.
 */
export async function unlessAborted<T>(promise: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      stopListening();
      reject(reasonOf(signals.find(({ aborted }) => aborted)));
    };
    const stopListening = (): void => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    };
    for (const signal of signals) signal.addEventListener("abort", onAbort);
    promise.finally(stopListening).then(resolve, reject);
    if (signals.some(({ aborted }) => aborted)) onAbort();
  });
}

/** Why a signal has aborted, as an error. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}
