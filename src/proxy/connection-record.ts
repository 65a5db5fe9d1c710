import type { LogFields, Logger } from "../log/logger.js";
import type { MovedBytes } from "../net/moved-bytes.js";
import { toError } from "../net/system-error.js";
import { DialError } from "../net/dial-error.js";
import type { ConnectionEntry, ConnectionHandle, ConnectionTable } from "../track/connection-table.js";
import type { ConnectionMetadata } from "../track/connection-tracker.js";
import { toLogFields } from "./log-fields.js";

/** Where records are kept while their connections are open, and written to when they are over. */
export interface ConnectionRecordOptions {
  readonly connections: ConnectionTable;
  readonly logger: Logger;
}

/** The one line of a connection that rules or an outbound block. It has an id like others, and is in no table. */
export function recordBlocked(
  metadata: ConnectionMetadata,
  { connections, logger }: ConnectionRecordOptions,
): void {
  const nothing = { duration_ms: 0, uplink_bytes: 0, downlink_bytes: 0 };
  logger.info("connection blocked", { id: connections.takeId(), ...toLogFields(metadata), ...nothing });
}

/**
 * What is known of one routed connection: a place in the table while it is open, and one line of the log at its end, which
 * says by whom, through what, how long and how much. A line at its beginning, for whoever looks for one that hangs, comes
 * at `debug`.
 */
export class ConnectionRecord {
  readonly #entry: ConnectionEntry;
  readonly #logger: Logger;
  readonly #moved: MovedBytes;
  readonly #metadata: ConnectionMetadata;
  readonly #startedAtMs = performance.now();

  /** Opens it. Whoever does must end it. */
  constructor(
    metadata: ConnectionMetadata,
    handle: ConnectionHandle,
    { connections, logger }: ConnectionRecordOptions,
  ) {
    this.#entry = connections.open(metadata, handle);
    this.#logger = logger;
    this.#moved = handle.moved;
    this.#metadata = metadata;
    logger.debug("connection opened", this.#facts);
  }

  /** The connection is over; with an error, because it could not be made, or because something is broken in here. */
  end(error?: unknown): void {
    this.#entry[Symbol.dispose]();
    const { uplinkBytes, downlinkBytes } = this.#moved;
    const fields: LogFields = Object.assign(this.#facts, {
      duration_ms: Math.round(performance.now() - this.#startedAtMs),
      uplink_bytes: uplinkBytes,
      downlink_bytes: downlinkBytes,
    });
    if (error === undefined) {
      this.#logger.info("connection closed", fields);
    } else if (error instanceof DialError && error.code === "own-listener") {
      this.#logger.info("connection blocked", { ...fields, reason: error.message });
    } else {
      const level = error instanceof DialError ? "info" : "error";
      this.#logger[level]("connection failed", { ...fields, error: toError(error).message });
    }
  }

  /** Written anew each time: idle connections are many, and hold no texts for a line of the log. */
  get #facts(): LogFields {
    return { id: this.#entry.id, ...toLogFields(this.#metadata) };
  }
}
