import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { endWith } from "../../net/linger.js";
import type { ClientTimes } from "../client-times.js";
import { formatRefusal, toRefusalParts, type HttpRefusal } from "./http-refusal.js";

/** Whether the client has had the last word already, for a request before this one, or is gone. */
export function isRefused(client: Socket): boolean {
  return !client.writable;
}

/** Tells HTTP clients that they get no connection or no answer of an origin. */
export class HttpRefuser {
  readonly #onRefusal: (client: Socket, reason: string) => void;
  readonly #times: ClientTimes;

  /** @param onRefusal - The client was told, and why. */
  constructor(onRefusal: (client: Socket, reason: string) => void, times: ClientTimes) {
    this.#onRefusal = onRefusal;
    this.#times = times;
  }

  /** Answers one request. The connection goes on, unless a rest of the request is still to come. */
  async refuseRequest(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: HttpRefusal,
  ): Promise<void> {
    if (!request.complete) {
      this.refuseRest(request, refusal);
      return;
    }
    this.#onRefusal(request.socket, refusal.reason);
    const { headers, body } = toRefusalParts(refusal);
    // With a reason of its own: one of the origin's that could not be written is still in the response.
    response.writeHead(refusal.status, STATUS_CODES[refusal.status], [...headers]);
    response.end(body);
    // Its client may be gone before it is out.
    await finished(response).catch(() => undefined);
  }

  /** Refuses a request whose end is still to come, or cannot be told, and so everything behind it. */
  refuseRest(request: IncomingMessage, refusal: HttpRefusal): void {
    // A body that nobody reads would stop the socket from being read to its end.
    request.resume();
    this.refuse(request.socket, refusal);
  }

  /** The last word: what the client sends behind it, further requests or not, is dropped. */
  refuse(client: Socket, refusal: HttpRefusal): void {
    if (isRefused(client)) return;
    endWith(client, formatRefusal(refusal), this.#times.lingerMs);
    this.#onRefusal(client, refusal.reason);
  }
}
