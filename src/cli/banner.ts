import { secretsOf } from "../config/api-secrets.js";
import type { Config } from "../config/config.js";
import { namesEvery } from "../config/v2ray-api.js";
import { formatListenAddress, type AppAddresses, type Endpoint, type ListenAddress } from "../index.js";

/** What a person reads when the program has started: where it listens, what it counts, and what to try. */
export function formatBanner(config: Config, { inbounds, api }: AppAddresses): string {
  const { tls } = config.experimental.v2ray_api;
  const withSecret = secretsOf(config.experimental.v2ray_api).length > 0;
  const hasTls = (address: ListenAddress): boolean => tls.enabled && !("path" in address);
  const lines = [
    ...inbounds.map(({ tag, type, address }) =>
      line(`inbound ${tag}`, `${type} on ${formatListen(address)}`),
    ),
    ...api.map((address) => line("v2ray api", `${formatListen(address)}${hasTls(address) ? ", TLS" : ""}`)),
    ...(api.length === 0 ? [line("v2ray api", 'off: "experimental.v2ray_api.listen" is empty')] : []),
    line("counting", formatCounted(config)),
    ...api.slice(0, 1).map((address) => line("try", formatCurl(address, hasTls(address), withSecret))),
  ];
  return lines.join("");
}

function line(name: string, text: string): string {
  return `${name.padEnd(20)} ${text}\n`;
}

function formatListen(address: ListenAddress): string {
  const isAnywhere = "host" in address && address.host === "";
  return isAnywhere ? `every address, port ${address.port}` : formatListenAddress(address);
}

function formatCounted({ experimental }: Config): string {
  const { enabled, inbounds, outbounds, users } = experimental.v2ray_api.stats;
  if (!enabled) return 'nothing: "experimental.v2ray_api.stats.enabled" is false';
  const counted = [
    ["inbound", inbounds],
    ["outbound", outbounds],
    ["user", users],
  ] as const;
  const parts = counted
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => (namesEvery(names) ? `every ${kind}` : `${kind}s ${names.join(", ")}`));
  return parts.length > 0
    ? parts.join("; ")
    : 'nothing: "experimental.v2ray_api.stats" lists no inbounds, outbounds or users';
}

/** @param withSecret - Whether one is needed; none is ever shown. */
function formatCurl(address: ListenAddress, withTls: boolean, withSecret: boolean): string {
  const isFile = "path" in address;
  const socket = isFile ? `--unix-socket '${address.path}' ` : "";
  const url = `${withTls ? "https" : "http"}://${isFile ? "localhost" : formatReachable(address)}`;
  const authorization = withSecret ? ' -H "authorization: Bearer $V2RAY_API_SECRET"' : "";
  const path = "/v2ray.core.app.stats.command.StatsService/QueryStats";
  return `curl -s ${socket}'${url}${path}' -H 'content-type: application/json'${authorization} -d '{}'`;
}

function formatReachable({ host, port }: Endpoint): string {
  return formatListenAddress({ host: reachableHost(host), port });
}

/** An address to reach a listener at that listens on every one. */
function reachableHost(host: string): string {
  if (host === "::") return "::1";
  return host === "" || host === "0.0.0.0" ? "127.0.0.1" : host;
}
