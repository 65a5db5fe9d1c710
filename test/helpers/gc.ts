import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collects garbage now: everything, or only the young generation. */
export function collectGarbage(type: "major" | "minor" = "major"): void {
  // With the type "major" it leaves what weak references lead to.
  if (type === "major") collect();
  else collect({ type });
}

type Collect = (options?: { readonly type: "minor" }) => void;

const collect = exposeCollect();

function exposeCollect(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
