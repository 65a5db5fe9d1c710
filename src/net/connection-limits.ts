import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { clientNetworkOf } from "./client-network.js";
import type { Endpoint } from "./endpoint.js";

/** To be called when the connection that was let in has closed. To call it twice does no harm. */
export type Release = () => void;

/** Both ends of an accepted connection. */
export interface ConnectionEnds {
  readonly source: Endpoint;
  /** Ours. */
  readonly accepted: Endpoint;
}

/** Lets a connection from an address in, or returns nothing: then it is to be reset. */
export type Admit = (address: string, ends: ConnectionEnds, connection: Socket) => Release | undefined;

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
  /**
   * Asked at a limit to end a connection that counts for less than another one, of that client or, without it, of any. Its
   * release is called before it returns. It says whether there was one. Default: all count the same, so none is.
   */
  readonly displaceOne?: (source?: string) => boolean;
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
  /** The worst of what the log says about more of them. */
  told: Told;
}

type Told = "nothing" | "ending untrusted" | "refusing";

const severity: Readonly<Record<Told, number>> = { nothing: 0, "ending untrusted": 1, refusing: 2 };

/**
 * Bounds how many connections there are, and how many of them one client has, over every listener that shares it.
 *
 * The log says once that more are refused, or that others are ended for them, and again only after a tenth of the limit has
 * become free meanwhile: at the limit connections come and go, and each of them is not news.
 */
export class ConnectionLimits {
  #maxCount = 0;
  #maxPerSource = 0;
  readonly #hasRoom: () => boolean;
  readonly #onReleased: () => void;
  readonly #displaceOne: (source?: string) => boolean;
  readonly #section: string;
  readonly #onRefused: (by: keyof RefusedConnections) => void;
  readonly #logger: Logger;
  readonly #all: Tally = { count: 0, told: "nothing" };
  readonly #sources = new Map<string, Tally>();
  readonly #refused = { connections: 0, connectionsPerSource: 0, descriptors: 0 };

  constructor({
    hasRoom = () => true,
    onReleased = ignore,
    displaceOne = () => false,
    section = "experimental.limits",
    onRefused = ignore,
    logger = silentLogger,
    ...bounds
  }: ConnectionLimitsOptions = {}) {
    this.#hasRoom = hasRoom;
    this.#onReleased = onReleased;
    this.#displaceOne = displaceOne;
    this.#section = section;
    this.#onRefused = onRefused;
    this.#logger = logger;
    this.setBounds(bounds);
  }

  /** Sets other bounds, for the connections to come: of those that are open none is closed. */
  setBounds({ maxCount = 65_536, maxPerSource = 4_096 }: ConnectionBounds): void {
    // Another limit is news.
    if (maxCount !== this.#maxCount) this.#all.told = "nothing";
    if (maxPerSource !== this.#maxPerSource) {
      for (const tally of this.#sources.values()) tally.told = "nothing";
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
    const tally = this.#sources.get(source) ?? { count: 0, told: "nothing" };
    // Whose source is full makes room at the expense of nobody else, and there may be enough in all then.
    if (tally.count >= this.#maxPerSource && this.#displace(tally, source)) {
      this.#tellOfSource(tally, source, "ending untrusted");
    }
    if (this.#all.count >= this.#maxCount && tally.count < this.#maxPerSource && this.#displace(this.#all)) {
      this.#tellOfAll("ending untrusted");
    }
    if (this.#all.count >= this.#maxCount) {
      this.#count("connections");
      this.#tellOfAll("refusing");
      return undefined;
    }
    if (tally.count >= this.#maxPerSource) {
      this.#count("connectionsPerSource");
      this.#tellOfSource(tally, source, "refusing");
      return undefined;
    }
    if (!this.#hasRoom()) {
      this.#count("descriptors");
      return undefined;
    }
    this.#sources.set(source, tally);
    this.#all.count += 1;
    tally.count += 1;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
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

  #displace(tally: Tally, source?: string): boolean {
    const { told } = tally;
    const isDone = this.#displaceOne(source);
    // The place is taken again at once: none has become free.
    tally.told = told;
    return isDone;
  }

  #tellOfAll(told: Told): void {
    this.#tell(this.#all, told, `${this.#maxCount}; ${this.#section}.connections`);
  }

  #tellOfSource(tally: Tally, source: string, told: Told): void {
    const limit = `${this.#maxPerSource} of one source; ${this.#section}.connections_per_source`;
    this.#tell(tally, told, limit, { source });
  }

  #tell(tally: Tally, told: Told, limit: string, fields?: { readonly source: string }): void {
    if (severity[tally.told] >= severity[told]) return;
    tally.told = told;
    this.#logger.warn(`${told} connections beyond ${limit}`, fields);
  }
}

function removeOne(tally: Tally, limit: number): void {
  tally.count -= 1;
  if (tally.count <= Math.floor(limit * 0.9)) tally.told = "nothing";
}

function ignore(): void {
  // Nobody wants to know.
}
