import { silentLogger, type Logger } from "../log/logger.js";
import { clientNetworkOf } from "./client-network.js";
import type { Endpoint } from "./endpoint.js";

/** To be called once, when the connection that was let in has closed. */
export type Release = () => void;

/** Both ends of an accepted connection. */
export interface ConnectionEnds {
  readonly source: Endpoint;
  /** Ours. */
  readonly accepted: Endpoint;
}

/** Lets a connection from an address in, or returns nothing: then it is to be reset. */
export type Admit = (address: string, ends: ConnectionEnds) => Release | undefined;

/** What each of the limits may be. */
export const connectionLimitRange = { least: 1, most: 2 ** 24 } as const;

/** How many connections there may be. */
export interface ConnectionBounds {
  /** How many connections may be open at the same time. Default: 65,536. */
  readonly maxCount?: number;
  /** How many of them may come from one address, or one IPv6 /64. Default: 4,096. */
  readonly maxPerSource?: number;
}

export interface ConnectionLimitsOptions extends ConnectionBounds {
  /** Whether the process has what another connection takes; asked last. Default: it always has. */
  readonly hasRoom?: () => boolean;
  /** Told when a connection that was let in has closed. Default: nobody is told. */
  readonly onReleased?: () => void;
  /** Where the config has the limits, for the log. Default: `experimental.limits`. */
  readonly section?: string;
  /** Told of each connection that is not let in. Default: nobody is told. */
  readonly onRefused?: (by: keyof RefusedConnections) => void;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** How many connections were not let in, by what stood in the way. */
export interface RefusedConnections {
  /** There were as many as there may be. */
  readonly connections: number;
  /** Their client had as many as one may have. */
  readonly connectionsPerSource: number;
  /** The process was about to run out of file descriptors. */
  readonly descriptors: number;
}

/** Those of one client, or all there are. */
interface Tally {
  count: number;
  /** Whether the log says that more are refused. */
  isTold: boolean;
}

/**
 * Bounds how many connections there are, and how many of them one client has, over every listener that shares it.
 *
 * The log says once that more are refused, and again only after a tenth of the limit has become free meanwhile: at the limit
 * connections come and go, and each of them is not news.
 */
export class ConnectionLimits {
  #maxCount = 0;
  #maxPerSource = 0;
  readonly #hasRoom: () => boolean;
  readonly #onReleased: () => void;
  readonly #section: string;
  readonly #onRefused: (by: keyof RefusedConnections) => void;
  readonly #logger: Logger;
  readonly #all: Tally = { count: 0, isTold: false };
  readonly #sources = new Map<string, Tally>();
  readonly #refused = { connections: 0, connectionsPerSource: 0, descriptors: 0 };

  constructor({
    hasRoom = () => true,
    onReleased = ignore,
    section = "experimental.limits",
    onRefused = ignore,
    logger = silentLogger,
    ...bounds
  }: ConnectionLimitsOptions = {}) {
    this.#hasRoom = hasRoom;
    this.#onReleased = onReleased;
    this.#section = section;
    this.#onRefused = onRefused;
    this.#logger = logger;
    this.setBounds(bounds);
  }

  /** Sets other bounds, for the connections to come: of those that are open none is closed. */
  setBounds({ maxCount = 65_536, maxPerSource = 4_096 }: ConnectionBounds): void {
    // Another limit is news.
    if (maxCount !== this.#maxCount) this.#all.isTold = false;
    if (maxPerSource !== this.#maxPerSource) {
      for (const tally of this.#sources.values()) tally.isTold = false;
    }
    this.#maxCount = maxCount;
    this.#maxPerSource = maxPerSource;
  }

  /** How many connections are open. */
  get count(): number {
    return this.#all.count;
  }

  /** How many clients have one. */
  get sourceCount(): number {
    return this.#sources.size;
  }

  /** What was not let in so far. The figures go on changing. */
  get refused(): RefusedConnections {
    return this.#refused;
  }

  readonly admit = (address: string): Release | undefined => {
    const source = clientNetworkOf(address);
    const tally = this.#sources.get(source) ?? { count: 0, isTold: false };
    if (this.#all.count >= this.#maxCount) {
      this.#count("connections");
      this.#tell(this.#all, `refusing connections beyond ${this.#maxCount}; ${this.#section}.connections`);
      return undefined;
    }
    if (tally.count >= this.#maxPerSource) {
      this.#count("connectionsPerSource");
      const limit = `${this.#maxPerSource} of one source; ${this.#section}.connections_per_source`;
      this.#tell(tally, `refusing connections beyond ${limit}`, { source });
      return undefined;
    }
    if (!this.#hasRoom()) {
      this.#count("descriptors");
      return undefined;
    }
    this.#sources.set(source, tally);
    this.#all.count += 1;
    tally.count += 1;
    return () => {
      removeOne(this.#all, this.#maxCount);
      removeOne(tally, this.#maxPerSource);
      if (tally.count === 0) this.#sources.delete(source);
      this.#onReleased();
    };
  };

  #count(by: keyof RefusedConnections): void {
    this.#refused[by] += 1;
    this.#onRefused(by);
  }

  #tell(tally: Tally, message: string, fields?: { readonly source: string }): void {
    if (tally.isTold) return;
    tally.isTold = true;
    this.#logger.warn(message, fields);
  }
}

function removeOne(tally: Tally, limit: number): void {
  tally.count -= 1;
  if (tally.count <= Math.floor(limit * 0.9)) tally.isTold = false;
}

function ignore(): void {
  // Nobody wants to know.
}
