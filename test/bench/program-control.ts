import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { StallWatch, type Stall } from "./stall-watch.js";

/** What a program of ours that serves counters is told, besides calls. */
export type Order =
  | { readonly kind: "watch" }
  | { readonly kind: "stall" }
  /** Has it let go of what it does not need any more, so that its memory can be compared. */
  | { readonly kind: "collect" }
  /** Has it create counters with long names. */
  | { readonly kind: "fill"; readonly count: number };

/** What it answers to each. */
export interface Obeyed {
  readonly stall?: Stall | undefined;
}

/** Obeys the process that started this one, and ends with it. @param fill - Creates so many counters. */
export function obey(fill: (count: number) => void): void {
  let watch: StallWatch | undefined;
  const carryOut = (order: Order): Obeyed => {
    switch (order.kind) {
      case "watch":
        watch = new StallWatch();
        return {};
      case "stall": {
        const stall = watch?.stop();
        watch = undefined;
        return { stall };
      }
      case "collect":
        collect();
        return {};
      case "fill":
        fill(order.count);
        return {};
    }
  };
  process.once("disconnect", () => process.exit());
  process.on("message", (order: Order) => process.send?.(carryOut(order)));
}

function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  // What is found to be garbage in the first may hold more of it.
  gc();
  gc();
}
