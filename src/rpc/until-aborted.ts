import { firstAbort } from "./first-abort.js";

/**
 * The items of a stream until it ends or one of the signals aborts: for calls that wait for what a client may never send, and
 * that have to end all the same. The stream itself is left to whoever made it.
 *
 * @param signals - One of them is the call's own, as {@link firstAbort} wants it.
 */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  const aborted = firstAbort(...signals);
  for (;;) {
    const result = await Promise.race([iterator.next(), aborted]);
    if (result === undefined || result.done === true) return;
    yield result.value;
  }
}
