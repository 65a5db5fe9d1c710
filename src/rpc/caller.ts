import {
  Code,
  ConnectError,
  createContextKey,
  type ContextValues,
  type HandlerContext,
} from "@connectrpc/connect";

/** Who calls, as far as the guard knows. */
export interface Caller {
  /** The name of the secret that they have; `undefined` where nobody needs one. */
  readonly name: string | undefined;
  /** Whether they may set counters to zero. */
  readonly mayReset: boolean;
  /** Where they come from who have none of the secrets that there are, for what is open to all: an address or a network. */
  readonly strangerFrom?: string;
}

/** Whoever calls where nobody needs a secret. */
export const anybody: Caller = { name: undefined, mayReset: true };

/** Where a call finds its caller. */
export const callerKey = createContextKey<Caller>(anybody, { description: "caller" });

/** Where a call finds its connection, as something that no other connection is. */
export const connectionKey = createContextKey<object>({ kind: "in memory" }, { description: "connection" });

/** Who is to have no more than a share of something: the caller or, where nobody tells callers apart, the connection. */
export function holderOf(values: ContextValues): object | string {
  return values.get(callerKey).name ?? values.get(connectionKey);
}

/**
 * To be asked before anything is read that is to be reset.
 *
 * @throws ConnectError PERMISSION_DENIED if the caller may not reset; nothing is reset then.
 */
export function assertMayReset({ values }: Pick<HandlerContext, "values">): void {
  const { name, mayReset } = values.get(callerKey);
  if (mayReset) return;
  throw new ConnectError(`the secret ${JSON.stringify(name)} may read but not reset`, Code.PermissionDenied);
}
