/**
 * Counting alone, for a server of your own. It loads no npm package.
 *
 * A {@link StatsTracker} wraps the connections that the server accepts, and counts their bytes into a
 * {@link CounterStore}. Below them, {@link countConnection} tells any {@link ByteSink} of a connection's bytes.
 *
 * @module v2ray-api/stats
 */

export type { LogFields, Logger } from "./log/logger.js";
export type { ByteSink, ConnectionSinks } from "./net/byte-sink.js";
export { countConnection, unwrapConnection } from "./net/counting-connection.js";
export type { UnwrappedConnection } from "./net/counting-connection.js";
export { countPacketConnection } from "./net/counting-packet-connection.js";
export type { Endpoint } from "./net/endpoint.js";
export type { MovedBytes } from "./net/moved-bytes.js";
export type { PacketConnection, PacketReceiver, PacketSent } from "./net/packet-connection.js";
export { CounterStore } from "./stats/counter-store.js";
export type {
  CounterPair,
  CounterStoreOptions,
  CounterSubject,
  NamedCounter,
} from "./stats/counter-store.js";
export { Counter } from "./stats/counter.js";
export { formatStatName, parseStatName } from "./stats/stat-name.js";
export type { StatDirection, StatName, StatScope } from "./stats/stat-name.js";
export { ConnectionTable } from "./track/connection-table.js";
export type {
  ConnectionEntry,
  ConnectionHandle,
  ConnectionTableOptions,
  ConnectionTallies,
  ConnectionTally,
  ConnectionWatcher,
  OpenConnection,
} from "./track/connection-table.js";
export { chainTrackers } from "./track/connection-tracker.js";
export type { ConnectionMetadata, ConnectionTracker } from "./track/connection-tracker.js";
export { OnlineUsers } from "./track/online-users.js";
export type { KnownUsers, OnlineUsersOptions } from "./track/online-users.js";
export { StatsTracker } from "./track/stats-tracker.js";
export type { StatsTrackerOptions } from "./track/stats-tracker.js";
