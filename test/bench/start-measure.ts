import type { Measure } from "./measure.js";
import { cpuMsOf } from "./process-cost.js";
import { connectNodeStart, grpcJsStart, ourStart, v2rayStart } from "./starts.js";

/** From the start of each to its first answer. */
export function createStartMeasure(): Measure {
  return {
    ...{ name: "start", title: "Start to the first answer of the API" },
    ...{ servers: [ourStart, grpcJsStart, connectNodeStart, v2rayStart], roundCount: 15, isFresh: true },
    metrics: [
      { title: "ms", digits: 0 },
      { title: "CPU ms", digits: 0 },
    ],
    sample: async ({ pid, firstAnswerMs = NaN }) => Promise.resolve([firstAnswerMs, cpuMsOf(pid)]),
  };
}
