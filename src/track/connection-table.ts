import type { MovedBytes } from "../net/moved-bytes.js";
import type { ConnectionMetadata } from "./connection-tracker.js";

/** What the table is told of a connection by whoever moves its bytes. */
export interface ConnectionHandle {
  /** The connection's running sums: the table reads them when somebody looks, and never in between. */
  readonly moved: MovedBytes;
  /** Ends both sides at once. It must not throw, and may be called again while the connection is ending. */
  close(): void;
}

/** A connection's place in the table. Whoever opened it disposes of it when the connection is over; twice does no harm. */
export interface ConnectionEntry {
  /** By which the table knows the connection. */
  readonly id: number;
  /** Takes the connection out of the table. It closes nothing. */
  [Symbol.dispose](): void;
}

/** Who wants to know of each connection as it comes and goes. Neither call may throw. */
export interface ConnectionWatcher {
  /** A connection was entered. */
  opened(metadata: ConnectionMetadata): void;
  /** A connection was taken out: the very facts with which it was entered. */
  closed(metadata: ConnectionMetadata): void;
}

/** Who else is to know of a table's connections. */
export interface ConnectionTableOptions {
  /** Told of every connection, in this order. Default: none. */
  readonly watchers?: readonly ConnectionWatcher[];
}

/** How many connections a table has seen. The difference is how many are open. */
export interface ConnectionTally {
  /** How many were entered. */
  readonly opened: number;
  /** How many were taken out again. */
  readonly closed: number;
}

/** A {@link ConnectionTally} for each network. */
export interface ConnectionTallies {
  /** Streams of bytes. */
  readonly tcp: ConnectionTally;
  /** Packets. */
  readonly udp: ConnectionTally;
}

/** An open connection as it was when somebody looked. */
export interface OpenConnection extends MovedBytes {
  /** By which the table knows it, and no other one ever. */
  readonly id: number;
  /** Who it is: what the table was told when it was entered. */
  readonly metadata: ConnectionMetadata;
  /** When it was entered, in milliseconds since 1970. */
  readonly startedAtMs: number;
}

/**
 * The connections that are open, for people who want to see them, and to close one.
 *
 * Entering one and taking it out cost the same however many there are, and its bytes cost nothing: they are read from
 * the sums that whoever moves them keeps anyway.
 *
 * In a server of your own, which has no such sums, they can be kept so:
 *
 * ```js
 * const moved = { uplinkBytes: 0, downlinkBytes: 0 };
 * const connection = countConnection(socket, {
 *   uplink: [{ add: (bytes) => (moved.uplinkBytes += bytes) }],
 *   downlink: [{ add: (bytes) => (moved.downlinkBytes += bytes) }],
 * });
 * const entry = table.open(metadata, { moved, close: () => socket.destroy() });
 * socket.once("close", () => entry[Symbol.dispose]());
 * ```
 */
export class ConnectionTable {
  readonly #places = new Map<number, Place>();
  readonly #watchers: readonly ConnectionWatcher[];
  /** The first id is 1. None is given twice: whoever means a connection that is gone must not close another one. */
  #lastId = 0;
  readonly #tallies = { tcp: { opened: 0, closed: 0 }, udp: { opened: 0, closed: 0 } };

  /** A table without connections. */
  constructor({ watchers = [] }: ConnectionTableOptions = {}) {
    this.#watchers = watchers;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#places.size;
  }

  /** How many connections there have been, by what they run over. The figures go on changing. */
  get tallies(): ConnectionTallies {
    return this.#tallies;
  }

  /** An id that no other connection has or gets, for one that is over before it could be entered. */
  takeId(): number {
    return ++this.#lastId;
  }

  /** Enters a connection, which stays until its entry is disposed of. */
  open(metadata: ConnectionMetadata, handle: ConnectionHandle): ConnectionEntry {
    const id = this.takeId();
    this.#places.set(id, { id, metadata, handle, startedAtMs: Date.now() });
    const tally = this.#tallies[metadata.network];
    tally.opened += 1;
    for (const watcher of this.#watchers) watcher.opened(metadata);
    return {
      id,
      [Symbol.dispose]: () => {
        if (!this.#places.delete(id)) return;
        tally.closed += 1;
        for (const watcher of this.#watchers) watcher.closed(metadata);
      },
    };
  }

  /** The open connections, the oldest first: a list of the caller's own, which nothing changes afterwards. */
  list(): OpenConnection[] {
    return Array.from(this.#places.values(), toOpenConnection);
  }

  /** One of the open connections, as it is now; `undefined` if none has that id (any more). */
  get(id: number): OpenConnection | undefined {
    const place = this.#places.get(id);
    return place && toOpenConnection(place);
  }

  /**
   * Ends both sides of a connection. It is listed until it is really over.
   *
   * @returns whether there was an open one of that id.
   */
  close(id: number): boolean {
    const place = this.#places.get(id);
    place?.handle.close();
    return place !== undefined;
  }
}

interface Place {
  readonly id: number;
  readonly metadata: ConnectionMetadata;
  readonly handle: ConnectionHandle;
  readonly startedAtMs: number;
}

function toOpenConnection({ id, metadata, handle, startedAtMs }: Place): OpenConnection {
  const { uplinkBytes, downlinkBytes } = handle.moved;
  return { id, metadata, startedAtMs, uplinkBytes, downlinkBytes };
}
