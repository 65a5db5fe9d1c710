import { performance } from "node:perf_hooks";
import { turns } from "./timing.js";

const patienceMs = 5_000;

/** Lets the event loop turn until the assertion holds; fails as it did last after 5 s. For what no event announces. */
export async function eventually(assertion: () => void): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      assertion();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await turns(1);
  }
}
