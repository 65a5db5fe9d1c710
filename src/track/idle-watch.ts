import { silentLogger, type Logger } from "../log/logger.js";
import type { ConnectionTable } from "./connection-table.js";

/** The longest that a check waits for the next one, in milliseconds. */
const maxIntervalMs = 30_000;

/** How far a connection was, and since when. */
interface Sighting {
  readonly movedBytes: number;
  readonly sinceMs: number;
}

/**
 * Closes the TCP connections of a table on which nothing moves for too long. It looks at their sums now and then, one timer
 * for all of them, so that the bytes cost nothing. A connection may therefore live an eighth longer than it should, and a minute at
 * most: the look that sees its last byte may be late, and so may the one that sees that it was the last.
 */
export class IdleWatch {
  readonly #connections: ConnectionTable;
  readonly #logger: Logger;
  #sightings = new Map<number, Sighting>();
  #timer: NodeJS.Timeout | undefined;

  /** @param logger - Default: silent. */
  constructor(connections: ConnectionTable, logger: Logger = silentLogger) {
    this.#connections = connections;
    this.#logger = logger;
  }

  /**
   * From here on connections may be idle for so long.
   *
   * @param idleMs - In milliseconds. 0: for ever, and nothing is looked at.
   */
  watch(idleMs: number): void {
    this.stop();
    if (idleMs === 0) return;
    // Two of them are an eighth.
    const intervalMs = Math.max(1, Math.min(maxIntervalMs, Math.floor(idleMs / 16)));
    this.#timer = setInterval(() => {
      this.check(idleMs, performance.now());
    }, intervalMs);
  }

  /** Looks at no connection any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#sightings.clear();
  }

  /** Looks once: closes those that are as they were `idleMs` before. */
  check(idleMs: number, nowMs: number): void {
    const sightings = new Map<number, Sighting>();
    for (const { id, metadata, uplinkBytes, downlinkBytes } of this.#connections.list()) {
      // Packets have a time of their own, at the inbound.
      if (metadata.network !== "tcp") continue;
      const movedBytes = uplinkBytes + downlinkBytes;
      const before = this.#sightings.get(id);
      const isSame = before?.movedBytes === movedBytes;
      sightings.set(id, isSame ? before : { movedBytes, sinceMs: nowMs });
      if (!isSame || nowMs - before.sinceMs < idleMs) continue;
      this.#logger.debug("connection cut: nothing has moved for too long", { id, inbound: metadata.inbound });
      this.#connections.close(id);
    }
    this.#sightings = sightings;
  }
}
