/**
 * Resolves when the first of these signals aborts, and listens to none of them from then on.
 *
 * Whoever waits on a signal that outlives the call has to add the call's own, which aborts when that is over: nothing else
 * tells of the end of a call whose caller is gone before reading its answer.
 */
export async function firstAbort(...signals: readonly AbortSignal[]): Promise<undefined> {
  if (signals.some(({ aborted }) => aborted)) return;
  await new Promise<void>((resolve) => {
    const onAbort = (): void => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
      resolve();
    };
    for (const signal of signals) signal.addEventListener("abort", onAbort);
  });
}
