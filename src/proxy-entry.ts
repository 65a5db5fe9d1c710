import { App, type AppOptions } from "./app.js";
import type { Config } from "./config/config.js";

/*
 * `v2ray-api/proxy`: the proxy and its counters without the V2Ray API, and so without any module of Connect.
 */

export { App, StartError } from "./app.js";
export type { AppAddresses, AppOptions, CreateApiServer, Service } from "./app.js";
export { ConfigError } from "./config/config-error.js";
export type { ConfigIssue } from "./config/config-error.js";
export type { Config } from "./config/config.js";
export { parseConfig } from "./config/parse-config.js";
export { readConfig } from "./config/read-config.js";
export { toConfig } from "./config/to-config.js";
export { silentLogger } from "./log/logger.js";
export type { LogFields, Logger } from "./log/logger.js";
export { formatEndpoint } from "./net/endpoint.js";
export type { Endpoint } from "./net/endpoint.js";
export { CounterStore } from "./stats/counter-store.js";
export type { NamedCounter } from "./stats/counter-store.js";

/** A config asks for the V2Ray API, which this entry point leaves out. */
export class ApiNotIncludedError extends Error {
  override readonly name = "ApiNotIncludedError";
  readonly code = "API_NOT_INCLUDED";

  constructor() {
    super(
      'v2ray api is not included in this build: "experimental.v2ray_api.listen" is set; ' +
        'import { createApp } from "v2ray-api" instead of "v2ray-api/proxy", or remove it',
    );
  }
}

/**
 * An app without the V2Ray API. What `experimental.v2ray_api.stats` names is counted, to be read from `App.store`.
 *
 * @throws ApiNotIncludedError if the config says where the API is to listen.
 */
export function createApp(config: Config, options: Omit<AppOptions, "createApiServer"> = {}): App {
  return new App(config, {
    ...options,
    createApiServer: () => {
      throw new ApiNotIncludedError();
    },
  });
}
