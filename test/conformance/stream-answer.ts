import type { Any } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import type { StreamResponseDefinition } from "#conformance/connectrpc/conformance/v1/service_pb.js";
import { appendHeaders, requestInfo, toConnectError, type Answer, type RequestInfo } from "./answer-parts.js";

/** The stream of answers that the first request of a call defines. */
export class StreamAnswer {
  readonly #context: HandlerContext;
  readonly #definition: StreamResponseDefinition | undefined;
  /** The requests that no answer has shown yet. */
  #unshown: Any[] = [];
  #answeredCount = 0;

  constructor(context: HandlerContext, definition: StreamResponseDefinition | undefined) {
    this.#context = context;
    this.#definition = definition;
    appendHeaders(context.responseHeader, definition?.responseHeaders ?? []);
    appendHeaders(context.responseTrailer, definition?.responseTrailers ?? []);
  }

  /** Whether all answers are given, but for the error at the end. */
  get isComplete(): boolean {
    return this.#answeredCount >= this.#data.length;
  }

  /** Takes note of a request: it is shown in the next answer. */
  see(request: Any): void {
    this.#unshown.push(request);
  }

  /** The next answer. */
  async next(): Promise<Answer> {
    const data = this.#data[this.#answeredCount] ?? new Uint8Array();
    await delay(this.#definition?.responseDelayMs);
    const payload = { data, requestInfo: this.#takeInfo() };
    this.#answeredCount += 1;
    return { payload };
  }

  /**
   * The answers that are left.
   *
   * @throws ConnectError at their end, if one is defined.
   */
  async *rest(): AsyncGenerator<Answer> {
    while (!this.isComplete) yield this.next();
    const error = this.#definition?.error;
    if (error === undefined) return;
    throw toConnectError(error, this.#answeredCount === 0 ? this.#takeInfo() : undefined);
  }

  get #data(): readonly Uint8Array[] {
    return this.#definition?.responseData ?? [];
  }

  /** The first answer shows the call, too, and all the requests before it; those without a new request show nothing. */
  #takeInfo(): RequestInfo {
    const requests = this.#unshown;
    this.#unshown = [];
    return this.#answeredCount === 0 ? requestInfo(this.#context, requests) : { requests };
  }
}
