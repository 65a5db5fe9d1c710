import { Code, ConnectError, createContextKey } from "@connectrpc/connect";
import type { CallContext } from "./call-context.js";

/** Who calls, as far as the guard knows. */
export interface Caller {
  /** The name of the secret that they have; `undefined` where nobody needs one. */
  readonly name: string | undefined;
  /** Whether they may set counters to zero. */
  readonly mayReset: boolean;
}

/** Whoever calls where nobody needs a secret. */
export const anybody: Caller = { name: undefined, mayReset: true };

/** Where a call finds its caller. */
export const callerKey = createContextKey<Caller>(anybody, { description: "caller" });

/**
 * To be asked before anything is read that is to be reset.
 *
 * @throws ConnectError PERMISSION_DENIED if the caller may not reset; nothing is reset then.
 */
export function assertMayReset({ values }: Pick<CallContext, "values">): void {
  const { name, mayReset } = values.get(callerKey);
  if (mayReset) return;
  throw new ConnectError(`the secret ${JSON.stringify(name)} may read but not reset`, Code.PermissionDenied);
}
