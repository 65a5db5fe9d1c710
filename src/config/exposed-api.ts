import { formatEndpoint, parseEndpoint } from "../net/endpoint.js";
import { isLoopbackHost } from "../net/loopback.js";
import type { Finding } from "./finding.js";
import { childOf, itemsOf, textAt, type Place } from "./place.js";

/** Finds an API that other machines reach while it asks nobody for a secret, unless the config says that this is meant. */
export function findExposedApi(config: Place): readonly Finding[] {
  const api = childOf(childOf(config, "experimental"), "v2ray_api");
  const listen = childOf(api, "listen");
  const endpoint = parseEndpoint(textAt(listen) ?? "");
  if (endpoint === undefined || isLoopbackHost(endpoint.host)) return [];
  // What else they may be is the schema's business.
  const hasSecret = childOf(api, "secret").value !== undefined || itemsOf(childOf(api, "secrets")).length > 0;
  if (hasSecret || childOf(api, "insecure").value === true) return [];
  const message =
    `${formatEndpoint(endpoint)} can be reached from other machines, and whoever reaches it can read and reset the counters; ` +
    'expected a "secret" or "secrets" beside it, or a loopback address such as 127.0.0.1, or "insecure": true if that is meant';
  return [{ path: listen.path, message, at: "value" }];
}
