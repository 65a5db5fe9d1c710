import { isIP } from "node:net";
import { isLoopbackHost } from "../net/loopback.js";
import type { Finding } from "./finding.js";
import { childOf, itemsOf, textAt, type Place } from "./place.js";

/**
 * Finds open proxies: inbounds that other machines reach while they ask nobody to log in, unless the config says that this is
 * meant. One of type `direct` is none: it leads to the one place that the config names.
 */
export function findExposedInbounds(config: Place): readonly Finding[] {
  return itemsOf(childOf(config, "inbounds")).flatMap((inbound) => {
    const listen = childOf(inbound, "listen");
    const host = textAt(listen);
    // Where it listens that does not say is nobody's but ours, and what else may be wrong is the schema's business.
    if (host === undefined || isIP(host) === 0 || isLoopbackHost(host)) return [];
    if (!openTypes.has(textAt(childOf(inbound, "type")))) return [];
    const hasUsers = itemsOf(childOf(inbound, "users")).length > 0;
    if (hasUsers || childOf(inbound, "insecure").value === true) return [];
    const message =
      `${host} can be reached from other machines, and whoever reaches it can use the proxy; ` +
      'expected "users" beside it, or a loopback address such as 127.0.0.1, or "insecure": true if that is meant';
    return [{ path: listen.path, message, at: "value" }];
  });
}

/** Those that take a client wherever it wants to go. */
const openTypes: ReadonlySet<string | undefined> = new Set(["mixed", "socks", "http"]);
