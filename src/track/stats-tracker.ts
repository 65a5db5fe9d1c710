import type { Duplex } from "node:stream";
import { silentLogger, type Logger } from "../log/logger.js";
import type { ConnectionSinks } from "../net/byte-sink.js";
import { countConnection } from "../net/counting-connection.js";
import { countPacketConnection } from "../net/counting-packet-connection.js";
import type { PacketConnection } from "../net/packet-connection.js";
import type { CounterPair, CounterStore } from "../stats/counter-store.js";
import { assertTag, isTag, type StatScope } from "../stats/stat-name.js";
import type { ConnectionMetadata, ConnectionTracker } from "./connection-tracker.js";

/**
 * Stands for every inbound, outbound or user in a list of those to count, beside others too. So what is itself called `*`
 * cannot be counted alone.
 */
export const everyName = "*";

/** Whose bytes a {@link StatsTracker} counts: nobody's but those named here. */
export interface StatsTrackerOptions {
  /** Tags of the inbounds to count; `*` counts every one. Default: none. */
  readonly inbounds?: readonly string[];
  /** Tags of the outbounds to count; `*` counts every one. Default: none. */
  readonly outbounds?: readonly string[];
  /** Names of the users to count; `*` counts everybody who has a name. Default: none. */
  readonly users?: readonly string[];
  /** Is told, once, when something is not counted that should be. Default: silent. */
  readonly logger?: Logger;
}

/**
 * The tracker that counts bytes into a {@link CounterStore}: for each listed inbound, outbound and user that a
 * connection belongs to, one counter each way.
 *
 * The counters exist from the moment the connection is routed, so a refused dial leaves zeros behind. A connection that
 * matches nothing listed comes back as the very same object.
 *
 * What finds no room in the store any more is not counted, and its connections work as ever: the first time, a warning
 * says so. The same goes for a name that `*` would count and that cannot be part of a counter's name.
 */
export class StatsTracker implements Required<ConnectionTracker> {
  readonly #store: CounterStore;
  readonly #listed: Readonly<Record<StatScope, ReadonlySet<string>>>;
  readonly #logger: Logger;
  readonly #warnedReasons = new Set<string>();

  /**
   * Takes the names of whom to count; none of them has to exist.
   *
   * @param store - Where the counters come into being.
   * @throws RangeError if a tag or name contains `>>>` or ends with `>`.
   */
  constructor(
    store: CounterStore,
    { inbounds = [], outbounds = [], users = [], logger = silentLogger }: StatsTrackerOptions = {},
  ) {
    for (const tag of [...inbounds, ...outbounds, ...users]) assertTag(tag);
    this.#store = store;
    this.#listed = { inbound: new Set(inbounds), outbound: new Set(outbounds), user: new Set(users) };
    this.#logger = logger;
  }

  /**
   * Creates the counters that the connection moves, if they do not exist, and wraps it so that it does.
   *
   * @returns what {@link countConnection} returns; the connection itself if none of its names is listed.
   * @throws TypeError for a stream in object mode, which carries no bytes.
   */
  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C {
    const sinks = this.#sinksOf(metadata);
    return sinks === undefined ? connection : countConnection(connection, sinks);
  }

  /** Creates the counters that the connection moves, if they do not exist. */
  routedSinks(metadata: ConnectionMetadata): ConnectionSinks {
    return this.#sinksOf(metadata) ?? noSinks;
  }

  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection {
    const sinks = this.#sinksOf(metadata);
    return sinks === undefined ? connection : countPacketConnection(connection, sinks);
  }

  /** The counters of a connection, created if need be; `undefined` if nobody counts it. */
  #sinksOf(metadata: ConnectionMetadata): ConnectionSinks | undefined {
    const pairs = [
      this.#pairOf("inbound", metadata.inbound),
      this.#pairOf("outbound", metadata.outbound),
      metadata.user === undefined ? undefined : this.#pairOf("user", metadata.user),
    ].filter((pair) => pair !== undefined);
    if (pairs.length === 0) return undefined;
    return {
      uplink: pairs.map(({ uplink }) => uplink),
      downlink: pairs.map(({ downlink }) => downlink),
    };
  }

  /** The counters of something that a connection belongs to; `undefined` if it is not to be counted or cannot be. */
  #pairOf(scope: StatScope, tag: string): CounterPair | undefined {
    if (!this.#isListed(scope, tag)) return undefined;
    const pair = this.#store.pair(scope, tag);
    if (pair === undefined) {
      this.#warnOnce(
        scope,
        tag,
        `there may be no more than ${this.#store.maxCounters} counters; ${moreCounters}`,
      );
    }
    return pair;
  }

  #isListed(scope: StatScope, tag: string): boolean {
    const listed = this.#listed[scope];
    if (listed.has(tag)) return true;
    // Without a name there is nobody to count.
    if (!listed.has(everyName) || tag === "") return false;
    if (isTag(tag)) return true;
    this.#warnOnce(scope, tag, 'what contains ">>>" or ends with ">" cannot be in the name of a counter');
    return false;
  }

  /** One line for each reason, however many names it concerns. */
  #warnOnce(scope: StatScope, tag: string, reason: string): void {
    if (this.#warnedReasons.has(reason)) return;
    this.#warnedReasons.add(reason);
    this.#logger.warn("not counted; others may follow", { [scope]: tag, reason });
  }
}

const noSinks: ConnectionSinks = { uplink: [], downlink: [] };

/** What to do about a store that is full, in the words of a config and of a program. */
const moreCounters =
  'for more, raise "experimental.v2ray_api.stats.max_counters" (in a program: maxCounters of the CounterStore)';
