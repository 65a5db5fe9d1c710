import { isIP } from "node:net";
import { formatEndpoint } from "../net/endpoint.js";
import { formatListenAddress, isUnix, parseListenAddress } from "../net/listen-address.js";
import { networks } from "../track/network.js";
import { formatConfigPath, type ConfigPath } from "./config-path.js";
import { isPort } from "./fields.js";
import type { Finding } from "./finding.js";
import { defaultInboundListen } from "./inbounds.js";
import { childOf, itemsOf, textAt, type Place } from "./place.js";

/**
 * Finds listeners, inbounds or the API, that want an address and port which an earlier one has.
 *
 * Only exactly equal ones: whether `0.0.0.0:80` and `127.0.0.1:80` can coexist is the operating system's to say. Port 0
 * is a different port each time.
 */
export function findRepeatedListeners(config: Place): readonly Finding[] {
  const ownerByPort = new Map<string, ConfigPath>();
  return listeners(config).flatMap(({ owner, path, networks, endpoint }) => {
    const ports = networks.map((network) => `${network} ${endpoint}`);
    const first = ports.map((port) => ownerByPort.get(port)).find((known) => known !== undefined);
    if (first === undefined) {
      for (const port of ports) ownerByPort.set(port, owner);
      return [];
    }
    const what = networks.includes("unix") ? "a socket" : "an address and port";
    const message = `expected ${what} of its own, got ${endpoint}, where ${formatConfigPath(first)} listens`;
    return [{ path, message, at: "value" }];
  });
}

/** A listener whose address and port are both valid; others are the schema's business. */
interface Listener {
  readonly owner: ConfigPath;
  /** The value that says where it listens. */
  readonly path: ConfigPath;
  /** TCP and UDP have ports of their own, and Unix sockets have files. */
  readonly networks: readonly string[];
  readonly endpoint: string;
}

function listeners(config: Place): readonly Listener[] {
  return [...itemsOf(childOf(config, "inbounds")).flatMap(inboundListener), ...apiListeners(config)];
}

function inboundListener(inbound: Place): readonly Listener[] {
  const listen = childOf(inbound, "listen");
  const host = listen.value === undefined ? defaultInboundListen : textAt(listen);
  const { path, value: port } = childOf(inbound, "listen_port");
  if (host === undefined || isIP(host) === 0) return [];
  if (typeof port !== "number" || !isPort(port) || port === 0) return [];
  return [
    { owner: inbound.path, path, networks: networksOf(inbound), endpoint: formatEndpoint({ host, port }) },
  ];
}

/** Of all inbounds only those of type `direct` listen for packets. */
function networksOf(inbound: Place): readonly string[] {
  if (textAt(childOf(inbound, "type")) !== "direct") return ["tcp"];
  const named = itemsOf(childOf(inbound, "network")).map(textAt);
  return named.length === 0 ? networks : networks.filter((network) => named.includes(network));
}

function apiListeners(config: Place): readonly Listener[] {
  const listen = childOf(childOf(childOf(config, "experimental"), "v2ray_api"), "listen");
  return itemsOf(listen).flatMap((item) => {
    const address = parseListenAddress(textAt(item) ?? "");
    if (address === undefined || (!isUnix(address) && address.port === 0)) return [];
    const networks = [isUnix(address) ? "unix" : "tcp"];
    return [
      { owner: listen.path.slice(0, -1), path: item.path, networks, endpoint: formatListenAddress(address) },
    ];
  });
}
