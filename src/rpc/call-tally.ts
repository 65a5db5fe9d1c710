import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";

const okCode = 0;
const codes = Object.values(Code).filter((code) => typeof code !== "string");

/** How many calls of one method have ended, by the code with which they did: `ok`, `not_found` and so on. */
export class CallTally {
  /** The whole name of the service, as it is in the path of a call. */
  readonly service: string;
  /** The method's name. */
  readonly method: string;
  /** By the number of the code; 0 is that of calls that went well. */
  readonly #counts: number[] = Array.from({ length: codes.length + 1 }, () => 0);

  constructor(service: string, method: string) {
    this.service = service;
    this.method = method;
  }

  /** One more that went well. */
  addOk(): void {
    this.#add(okCode);
  }

  /** One more that did not. */
  addError(error: unknown): void {
    this.#add(ConnectError.from(error, Code.Internal).code);
  }

  /** The codes that have come up, by their names; `ok` always has. */
  *list(): Generator<readonly [code: string, count: number], void, undefined> {
    yield ["ok", this.#counts[okCode] ?? 0];
    for (const code of codes) {
      const count = this.#counts[code] ?? 0;
      if (count > 0) yield [codeToString(code), count];
    }
  }

  #add(code: number): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
  }
}

/**
 * Where a call finds the tally of its method, until it takes it: what is still there when the answer is out belongs to a
 * request that never became a call.
 */
export const callTallyKey = createContextKey<CallTally | undefined>(undefined, { description: "call tally" });

/**
 * Counts each call under the code with which it ends. It stands before the calls themselves and not before their answers:
 * these tell their code differently in every protocol.
 */
export const tallyCalls: Interceptor = (next) => async (request) => {
  const tally = request.contextValues.get(callTallyKey);
  if (tally === undefined) return next(request);
  request.contextValues.set(callTallyKey, undefined);
  try {
    const response = await next(request);
    if (response.stream) return { ...response, message: tallyMessages(response.message, tally) };
    tally.addOk();
    return response;
  } catch (error) {
    tally.addError(error);
    throw error;
  }
};

/** A stream has ended when its last message was taken, when it fails, or when nobody wants more of it. */
async function* tallyMessages<T>(messages: AsyncIterable<T>, tally: CallTally): AsyncGenerator<T> {
  let error: unknown = new ConnectError("given up by the caller", Code.Canceled);
  try {
    yield* messages;
    error = undefined;
  } catch (thrown) {
    error = thrown;
    throw thrown;
  } finally {
    if (error === undefined) tally.addOk();
    else tally.addError(error);
  }
}
