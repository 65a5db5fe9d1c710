import { performance } from "node:perf_hooks";
import type { Stage } from "./stage.js";

/** How long something took, and the proxy's processor time for it. */
export interface Taken {
  readonly seconds: number;
  readonly cpuMs: number;
}

/** Begins to measure. @returns what tells, when it is called, what was taken since. */
export async function stopwatch({ proxy }: Stage): Promise<() => Promise<Taken>> {
  const before = await proxy.look();
  const begun = performance.now();
  return async () => {
    const seconds = (performance.now() - begun) / 1_000;
    return { seconds, cpuMs: (await proxy.look()).cpuMs - before.cpuMs };
  };
}
