import { formatListenAddress, isUnix, parseListenAddress } from "../net/listen-address.js";
import { isLoopbackHost } from "../net/loopback.js";
import { asksForCertificates } from "./api-tls.js";
import type { Finding } from "./finding.js";
import { childOf, itemsOf, textAt, type Place } from "./place.js";

/**
 * Finds an API that other machines reach while it asks nobody for a secret or a certificate, unless the config says that
 * this is meant.
 */
export function findExposedApi(config: Place): readonly Finding[] {
  const api = childOf(childOf(config, "experimental"), "v2ray_api");
  const tls = childOf(api, "tls");
  // What else they may be is the schema's business.
  const hasSecret = childOf(api, "secret").value !== undefined || itemsOf(childOf(api, "secrets")).length > 0;
  const isMutual = asksForCertificates(
    childOf(tls, "enabled").value,
    childOf(tls, "client_authentication").value,
  );
  if (hasSecret || isMutual || childOf(api, "insecure").value === true) return [];
  return itemsOf(childOf(api, "listen")).flatMap((listen) => {
    const address = parseListenAddress(textAt(listen) ?? "");
    if (address === undefined || isUnix(address) || isLoopbackHost(address.host)) return [];
    const message =
      `${formatListenAddress(address)} can be reached from other machines, and whoever reaches it can read and reset the counters; ` +
      'expected a "secret" or "secrets" beside it, or "tls" with "client_authentication": "require-and-verify", ' +
      'or a loopback address such as 127.0.0.1, or "insecure": true if that is meant';
    return [{ path: listen.path, message, at: "value" }];
  });
}
