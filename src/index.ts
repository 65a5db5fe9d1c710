/**
 * Everything: the V2Ray API's server, the proxy, and the counters between them.
 *
 * `createApp()` runs what a config file describes; `ApiServer` serves the counters of a server of your own. Programs that
 * need only a part of it load less from `v2ray-api/proxy` or `v2ray-api/stats`.
 *
 * @module v2ray-api
 */
import { App, type CreateAppOptions } from "./app.js";
import type { Config } from "./config/config.js";
import { apiLimitsOf } from "./api-limits-of.js";
import { createApiListeners } from "./rpc/api-listeners.js";

export { App } from "./app.js";
export type { AppOptions, CreateAppOptions } from "./app.js";
export type { AppAddresses, InboundAddress } from "./assembly.js";
export { ConfigError } from "./config/config-error.js";
export type { ConfigIssue } from "./config/config-error.js";
export type { Config } from "./config/config.js";
export { parseConfig } from "./config/parse-config.js";
export { readConfig } from "./config/read-config.js";
export type { ReadConfigOptions } from "./config/read-config.js";
export type { SourceExcerpt } from "./config/source-excerpt.js";
export type { SourcePosition } from "./config/source-position.js";
export { toConfig } from "./config/to-config.js";
export type { CreateApiListener, CreateApiServer, CreateApiServerOptions } from "./create-api.js";
export { silentLogger } from "./log/logger.js";
export type { LogFields, Logger } from "./log/logger.js";
export type { ByteSink, ConnectionSinks } from "./net/byte-sink.js";
export { countConnection, unwrapConnection } from "./net/counting-connection.js";
export type { UnwrappedConnection } from "./net/counting-connection.js";
export { countPacketConnection } from "./net/counting-packet-connection.js";
export type { IsOwnConnection } from "./net/admit-others.js";
export type { RefusedConnections } from "./net/connection-limits.js";
export { formatEndpoint } from "./net/endpoint.js";
export type { Endpoint } from "./net/endpoint.js";
export { formatListenAddress } from "./net/listen-address.js";
export type { ListenAddress, UnixAddress } from "./net/listen-address.js";
export { ListenError } from "./net/listen-error.js";
export type { FailedLogins } from "./net/login-brake.js";
export type { PacketConnection, PacketReceiver, PacketSent } from "./net/packet-connection.js";
export type { MovedBytes } from "./net/moved-bytes.js";
export type { ClientAuthentication, PemSource, TlsServerOptions } from "./net/tls-server-options.js";
export type { Service } from "./parts/service.js";
export { StartError } from "./parts/start-error.js";
export { ApiServer } from "./rpc/api-server.js";
export type { ApiLimits } from "./rpc/api-limits.js";
export type { ApiServerOptions } from "./rpc/api-server.js";
export type { MetricsOptions } from "./rpc/metrics/metrics-options.js";
export type { ApiSecret } from "./rpc/secrets.js";
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

/**
 * Makes the app that a config describes, with the V2Ray API included. It does nothing before its `start()`.
 *
 * @param config - From `readConfig()`, `parseConfig()` or `toConfig()`.
 */
export function createApp(config: Config, options: CreateAppOptions = {}): App {
  return new App(config, {
    ...options,
    createApiServer: ({ limits, ...others }) => createApiListeners({ ...others, ...apiLimitsOf(limits) }),
  });
}
