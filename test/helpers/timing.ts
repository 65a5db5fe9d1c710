import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Fails with `what` if the promise is not settled within `ms`. */
export async function withTimeout<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: not within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop turn until `holds`; for facts that no event announces. The test's own timeout bounds it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

/** Lets the event loop turn that often: whatever was ready to happen has happened. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Resolves when the stream has closed, now or before, however it ended. */
export async function closed(stream: NodeJS.EventEmitter & { readonly closed: boolean }): Promise<void> {
  stream.on("error", ignore);
  // A socket calls itself closed a little before it says so.
  if (stream.closed) await turns(3);
  else await new Promise((resolve) => stream.once("close", resolve));
}

/** Resolves with the error that the stream emits. */
export async function failed(stream: NodeJS.EventEmitter): Promise<Error & { code?: string }> {
  const values = await new Promise<unknown>((resolve) => stream.once("error", resolve));
  if (values instanceof Error) return values;
  throw new Error(`the error is no Error: ${String(values)}`);
}

/** Resolves when the event comes; with its first value. */
export async function event(emitter: NodeJS.EventEmitter, name: string): Promise<unknown> {
  const values: unknown[] = await once(emitter, name);
  return values[0];
}

function ignore(): void {
  // Whoever waits for the close does not care why.
}
