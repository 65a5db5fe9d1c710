import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { endWith } from "../../net/linger.js";
import { toError } from "../../net/system-error.js";
import type { HttpForwarder } from "./http-forwarder.js";

/** How many requests may be under way or wait for their turn before the client is no longer read. */
const maxUnfinished = 8;

/** One client connection that speaks HTTP. Its requests are answered in order, each when the one before it is over. */
export class HttpSession {
  readonly client: Socket;
  readonly forwarder: HttpForwarder;
  readonly #lingerMs: number | undefined;
  #unfinishedCount = 0;
  #lastTurn = Promise.resolve();
  #isEnding = false;
  #onReleased: (() => void) | undefined;
  #newest: { readonly request: IncomingMessage; readonly broken: AbortController } | undefined;

  /** @param lingerMs - How long the client may take to close when it is ended. Default: as `endWith()` has it. */
  constructor(client: Socket, forwarder: HttpForwarder, lingerMs?: number) {
    this.client = client;
    this.forwarder = forwarder;
    this.#lingerMs = lingerMs;
  }

  /** Whether no request is being answered or waits to be. */
  get isIdle(): boolean {
    return this.#unfinishedCount === 0;
  }

  /** Takes note of a request. @returns what aborts if the rest of it turns out never to come. */
  begin(request: IncomingMessage): AbortSignal {
    this.#newest = { request, broken: new AbortController() };
    return this.#newest.broken.signal;
  }

  /** Nothing more can be read from the client: the request that is still coming in, if there is one, is broken. */
  breakOff(): void {
    if (this.#newest?.request.complete === false) this.#newest.broken.abort();
  }

  /** Runs a task when all before it are over. If it fails, that is the end of the connection. */
  enqueue(task: () => Promise<void> | void): void {
    this.#unfinishedCount += 1;
    if (this.#unfinishedCount === maxUnfinished + 1) this.#hold();
    this.#lastTurn = this.#lastTurn
      .then(task)
      .catch((error: unknown) => {
        this.client.destroy(toError(error));
      })
      .finally(() => {
        this.#onOver();
      });
  }

  /** Whether the client is not read for now. */
  get isHeld(): boolean {
    return this.#unfinishedCount > maxUnfinished;
  }

  /** The client is late, but only because it is not read: its time begins anew when it is. */
  excuse(timeoutMs: number, onLate: () => void): void {
    const { request } = this.#newest ?? {};
    this.#onReleased = () => {
      const timer = setTimeout(() => {
        if (this.#newest?.request === request) onLate();
      }, timeoutMs);
      this.client.once("close", () => {
        clearTimeout(timer);
      });
    };
  }

  /** Ends the connection when its last answer is out; at once if none is due. */
  end(): void {
    this.#isEnding = true;
    if (this.isIdle) this.client.destroy();
  }

  /** Node's server resumes a socket whenever a message is complete or read: meanwhile it must not be able to. */
  #hold(): void {
    this.client.pause();
    this.client.resume = () => this.client;
  }

  #release(): void {
    Reflect.deleteProperty(this.client, "resume");
    this.client.resume();
    this.#onReleased?.();
    this.#onReleased = undefined;
  }

  #onOver(): void {
    this.#unfinishedCount -= 1;
    if (this.#unfinishedCount === maxUnfinished) this.#release();
    if (this.#isEnding && this.isIdle) endWith(this.client, "", this.#lingerMs);
  }
}
