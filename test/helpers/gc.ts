import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collects garbage now: everything, or only the young generation. */
export function collectGarbage(type: "major" | "minor" = "major"): void {
  collect({ type });
}

type Collect = (options: { readonly type: "major" | "minor" }) => void;

const collect = exposeCollect();

function exposeCollect(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
