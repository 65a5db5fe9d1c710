import { unlessAborted } from "../net/unless-aborted.js";

/**
 * The items of a stream until it ends or one of the signals aborts: for calls that wait for what a client may never send, and
 * that have to end all the same. The stream itself is left to whoever made it, and none of its items is kept.
 *
 * @param signals - One of them is the call's own: nothing else tells of the end of a call whose caller is gone.
 */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await unlessAborted(iterator.next(), ...signals);
      if (result.done === true) return;
      yield result.value;
    }
  } catch (error) {
    if (signals.every(({ aborted }) => !aborted)) throw error;
  }
}
