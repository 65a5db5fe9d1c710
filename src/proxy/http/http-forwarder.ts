import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { formatEndpoint, type Endpoint } from "../../net/endpoint.js";
import { endWith } from "../../net/linger.js";
import { passOn, StaleConnectionError, type HttpExchange } from "./http-exchange.js";

/** To whom a connection to an origin belongs. */
export interface OriginRoute {
  readonly user: string | undefined;
  readonly origin: Endpoint;
}

/** Opens a connection to an origin. It is returned at once; if there can be none, it fails with a RejectedError. */
export type OpenOrigin = (route: OriginRoute) => Duplex;

/**
 * Passes the plain HTTP requests of one client connection on to their origins, one after the other.
 *
 * The connection to an origin is kept for the next request of the same user to the same origin, and for nobody else's.
 */
export class HttpForwarder {
  readonly #open: OpenOrigin;
  #kept: KeptOrigin | undefined;

  constructor(open: OpenOrigin) {
    this.#open = open;
  }

  /**
   * Resolves when the exchange is over: answered in full, or cut.
   *
   * @throws RejectedError if the origin gave no answer; the client has none yet then.
   */
  async forward(exchange: HttpExchange): Promise<void> {
    try {
      await passOn(exchange, this.#agentFor(exchange));
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      this.close();
      await passOn(exchange, this.#agentFor(exchange));
    }
  }

  /** Ends the connection that is kept for a next request, at the end of the request under way if there is one. */
  close(): void {
    const agent = this.#kept?.agent;
    this.#kept = undefined;
    for (const connection of Object.values(agent?.freeSockets ?? {}).flat()) {
      if (connection !== undefined) endWith(connection, "");
    }
    agent?.on("free", (connection: Duplex) => {
      endWith(connection, "");
    });
  }

  #agentFor({ user, target: { origin } }: HttpExchange): Agent {
    const kept = this.#kept;
    if (kept?.user === user && kept?.origin === formatEndpoint(origin)) return kept.agent;
    this.close();
    const agent = createOriginAgent(() => this.#open({ user, origin }));
    this.#kept = { user, origin: formatEndpoint(origin), agent };
    return agent;
  }
}

interface KeptOrigin {
  readonly user: string | undefined;
  readonly origin: string;
  readonly agent: Agent;
}

function createOriginAgent(open: () => Duplex): Agent {
  return Object.assign(new Agent({ keepAlive: true }), {
    createConnection: () => Object.assign(open(), socketMethods),
  });
}

/** What an agent does to a socket that rests or works again, and what means nothing to a stream in memory. */
const socketMethods = { ref: doNothing, unref: doNothing, setKeepAlive: doNothing, setTimeout: doNothing };

function doNothing(): void {
  // See above.
}
