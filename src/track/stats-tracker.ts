import type { Duplex } from "node:stream";
import type { ConnectionSinks } from "../net/byte-sink.js";
import { countConnection } from "../net/counting-connection.js";
import { countPacketConnection } from "../net/counting-packet-connection.js";
import type { PacketConnection } from "../net/packet-connection.js";
import type { CounterStore } from "../stats/counter-store.js";
import { assertTag, type StatScope } from "../stats/stat-name.js";
import type { ConnectionMetadata, ConnectionTracker } from "./connection-tracker.js";

/** Whose bytes a {@link StatsTracker} counts: nobody's but those named here. */
export interface StatsTrackerOptions {
  /** Tags of the inbounds to count. Default: none. */
  readonly inbounds?: readonly string[];
  /** Tags of the outbounds to count. Default: none. */
  readonly outbounds?: readonly string[];
  /** Names of the users to count. Default: none. */
  readonly users?: readonly string[];
}

/** One counter's worth of interest in a connection: whose bytes. */
interface Subject {
  readonly scope: StatScope;
  readonly tag: string;
}

/**
 * The tracker that counts bytes into a {@link CounterStore}: for each listed inbound, outbound and user that a
 * connection belongs to, one counter each way.
 *
 * The counters exist from the moment the connection is routed, so a refused dial leaves zeros behind. A connection that
 * matches nothing listed comes back as the very same object.
 */
export class StatsTracker implements ConnectionTracker {
  readonly #store: CounterStore;
  readonly #inbounds: ReadonlySet<string>;
  readonly #outbounds: ReadonlySet<string>;
  readonly #users: ReadonlySet<string>;

  /**
   * Takes the names of whom to count; none of them has to exist.
   *
   * @param store - Where the counters come into being.
   * @throws RangeError if a tag or name contains `>>>` or ends with `>`.
   */
  constructor(store: CounterStore, { inbounds = [], outbounds = [], users = [] }: StatsTrackerOptions = {}) {
    for (const tag of [...inbounds, ...outbounds, ...users]) assertTag(tag);
    this.#store = store;
    this.#inbounds = new Set(inbounds);
    this.#outbounds = new Set(outbounds);
    this.#users = new Set(users);
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

  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection {
    const sinks = this.#sinksOf(metadata);
    return sinks === undefined ? connection : countPacketConnection(connection, sinks);
  }

  /** The counters of a connection, created if need be; `undefined` if nobody counts it. */
  #sinksOf(metadata: ConnectionMetadata): ConnectionSinks | undefined {
    const pairs = this.#subjectsOf(metadata).map(({ scope, tag }) => ({
      uplink: this.#store.counter({ scope, tag, direction: "uplink" }),
      downlink: this.#store.counter({ scope, tag, direction: "downlink" }),
    }));
    if (pairs.length === 0) return undefined;
    return {
      uplink: pairs.map(({ uplink }) => uplink),
      downlink: pairs.map(({ downlink }) => downlink),
    };
  }

  #subjectsOf({ inbound, outbound, user }: ConnectionMetadata): Subject[] {
    const subjects: Subject[] = [];
    if (this.#inbounds.has(inbound)) subjects.push({ scope: "inbound", tag: inbound });
    if (this.#outbounds.has(outbound)) subjects.push({ scope: "outbound", tag: outbound });
    if (user !== undefined && this.#users.has(user)) subjects.push({ scope: "user", tag: user });
    return subjects;
  }
}
