import { constants, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Logger } from "../log/logger.js";
import { endWith } from "../net/linger.js";
import { AdmissionPace } from "./admission-pace.js";
import type { ApiLimits } from "./api-limits.js";
import { newcomersResetsOf, watchFloods, type Http2Limits } from "./http2-flood-watch.js";
import { calmGoodbye, openingResetsOf } from "./http2-opening.js";
import type { RefusalReason, RefusalTally } from "./refusal-tally.js";

export interface Http2DoorOptions {
  readonly limits: Http2Limits & Required<Pick<ApiLimits, "maxRequestBytes" | "maxHeaderBytes">>;
  /** Told of every connection that is cut. */
  readonly refusals: RefusalTally;
  readonly logger: Logger;
}

/** How long a connection that begins with a flood may take to close once it is told of it, in milliseconds. */
const goodbyeMs = 100;

/**
 * Stands before the HTTP/2 sessions of a server: lets connections in at a pace, cuts those that flood, and remembers where they
 * came from.
 */
export class Http2Door {
  readonly #pace = new AdmissionPace();
  readonly #options: Http2DoorOptions;

  constructor(options: Http2DoorOptions) {
    this.#options = options;
  }

  /**
   * Has a connection, of which nothing is taken yet, wait for its turn.
   *
   * @returns whether there is to be a session on it. Otherwise it is closed, or about to be.
   */
  async admits(socket: Socket, source: string): Promise<boolean> {
    await this.#pace.turn(source, () => socket.destroyed);
    if (socket.destroyed) return false;
    if (openingResetsOf(socket) <= newcomersResetsOf(this.#options.limits)) return true;
    this.#cut("http2_resets", source);
    endWith(socket, calmGoodbye, goodbyeMs);
    return false;
  }

  /** Watches the session of a connection that was let in. @param end - Ends it, with the code that its client is told. */
  watch(session: ServerHttp2Session, socket: Socket, source: string, end: (code: number) => void): void {
    const { limits } = this.#options;
    watchFloods(session, socket, {
      ...limits,
      requestBytes: 2 * (limits.maxRequestBytes + limits.maxHeaderBytes),
      onFlood: (reason) => {
        this.#cut(reason, source);
        end(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      },
    });
  }

  #cut(reason: RefusalReason, source: string): void {
    const { refusals, logger } = this.#options;
    refusals[reason] += 1;
    this.#pace.slow(source);
    logger.debug("HTTP/2 connection cut", { reason });
  }
}
