import { createContextValues, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import { answerQueueKey, type AnswerQueue } from "./answer-queue.js";
import { callerKey, connectionKey, type Caller } from "./caller.js";
import { deliveryKey, type Delivery } from "./delivery.js";

/** What a call has to know of itself while it is being answered: Connect's own context has it. */
export interface CallContext extends Pick<HandlerContext, "values"> {
  /** Whether somebody still waits for the answer, and in time. */
  readonly signal: Pick<AbortSignal, "throwIfAborted">;
}

/** What is known of a call before it is answered. */
export interface CallFacts {
  readonly caller: Caller;
  readonly connection: object;
  readonly delivery: Delivery;
  /** Where its answer waits to be read. */
  readonly queue: AnswerQueue;
}

/** Puts it where the call finds it. */
export function contextValuesOf({ caller, connection, delivery, queue }: CallFacts): ContextValues {
  return createContextValues()
    .set(callerKey, caller)
    .set(connectionKey, connection)
    .set(deliveryKey, delivery)
    .set(answerQueueKey, queue);
}
