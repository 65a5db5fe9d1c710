import type { LoadGenerator } from "./load.js";
import type { Load, LoadAnswer } from "./load-protocol.js";
import { cpuMsOf } from "./process-cost.js";
import type { RunningServer } from "./servers.js";

/** What the clients have seen, and what the server took for it. */
export interface MeasuredLoad {
  readonly answer: LoadAnswer;
  /** Processor time of the server, in milliseconds. */
  readonly cpuMs: number;
  readonly seconds: number;
}

/** Puts a load on a server that runs. */
export async function measureLoad(
  { pid, socks, api }: RunningServer,
  generator: LoadGenerator,
  load: Load,
): Promise<MeasuredLoad> {
  const before = cpuMsOf(pid);
  const answer = await generator.carryOut(load, { proxy: socks, api });
  return { answer, cpuMs: cpuMsOf(pid) - before, seconds: answer.wallMs / 1_000 };
}

/** What a load of so many things comes to without a server that could hold it up, and what it takes itself. */
export async function checkRate(
  generator: LoadGenerator,
  load: Load & { readonly count: number },
  unit: string,
): Promise<string> {
  const { wallMs, cpuMs } = await generator.carryOut(load);
  const rate = Math.round(load.count / (wallMs / 1_000)).toLocaleString("en");
  return `The load without a server: ${rate} ${unit}, with ${Math.round((100 * cpuMs) / wallMs)} % of a processor`;
}
