import type { Counter } from "../stats/counter.js";
import type { CallContext } from "./call-context.js";
import { deliveryKey } from "./delivery.js";

/** Resets a counter on behalf of a caller: the bytes come back if the caller never gets to know of them. */
export function resetFor(context: Pick<CallContext, "values">, counter: Counter): bigint {
  const value = counter.reset();
  if (value > 0n) {
    context.values.get(deliveryKey).onLost(() => {
      counter.giveBack(value);
    });
  }
  return value;
}
