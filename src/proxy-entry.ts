/**
 * The proxy and its counters without the V2Ray API, and so without any module of Connect.
 *
 * The counters are read in the process, from `App.store`, and who is connected from `App.connections`.
 *
 * @module v2ray-api/proxy
 */
import { App, type CreateAppOptions } from "./app.js";
import type { Config } from "./config/config.js";

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
export type { IsOwnConnection } from "./net/admit-others.js";
export type { RefusedConnections } from "./net/connection-limits.js";
export { formatEndpoint } from "./net/endpoint.js";
export type { Endpoint } from "./net/endpoint.js";
export { formatListenAddress } from "./net/listen-address.js";
export type { ListenAddress, UnixAddress } from "./net/listen-address.js";
export { ListenError } from "./net/listen-error.js";
export type { FailedLogins } from "./net/login-brake.js";
export type { MovedBytes } from "./net/moved-bytes.js";
export type { ClientAuthentication, PemSource, TlsServerOptions } from "./net/tls-server-options.js";
export type { Service } from "./parts/service.js";
export { StartError } from "./parts/start-error.js";
export { CounterStore } from "./stats/counter-store.js";
export type {
  CounterPair,
  CounterStoreOptions,
  CounterSubject,
  NamedCounter,
} from "./stats/counter-store.js";
export { Counter } from "./stats/counter.js";
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
export type { ConnectionMetadata } from "./track/connection-tracker.js";
export { OnlineUsers } from "./track/online-users.js";
export type { KnownUsers, OnlineUsersOptions } from "./track/online-users.js";

/**
 * A config asks for the V2Ray API, which this entry point leaves out: take `createApp()` of `v2ray-api` for it, or remove
 * `experimental.v2ray_api.listen` from it.
 */
export class ApiNotIncludedError extends Error {
  override readonly name = "ApiNotIncludedError";
  /** Tells this error from others. */
  readonly code = "API_NOT_INCLUDED";

  constructor() {
    super(
      'v2ray api is not included in this build: "experimental.v2ray_api.listen" is set; ' +
        'import { createApp } from "v2ray-api" instead of "v2ray-api/proxy", or remove it',
    );
  }
}

/**
 * Makes the app that a config describes, without the V2Ray API. What `experimental.v2ray_api.stats` names is counted, to
 * be read from {@link App.store}. It does nothing before its `start()`.
 *
 * @param config - From `readConfig()`, `parseConfig()` or `toConfig()`.
 * @throws ApiNotIncludedError if the config says where the API is to listen.
 */
export function createApp(config: Config, options: CreateAppOptions = {}): App {
  return new App(config, {
    ...options,
    createApiServer: () => {
      throw new ApiNotIncludedError();
    },
  });
}
