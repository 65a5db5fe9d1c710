import type { HandlerContext } from "@connectrpc/connect";

/** What a call has to know of itself while it is being answered: Connect's own context has it. */
export interface CallContext extends Pick<HandlerContext, "values"> {
  /** Whether somebody still waits for the answer, and in time. */
  readonly signal: Pick<AbortSignal, "throwIfAborted">;
}
