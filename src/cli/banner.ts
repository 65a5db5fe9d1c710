import { secretsOf } from "../config/api-secrets.js";
import type { Config } from "../config/config.js";
import { namesEvery } from "../config/v2ray-api.js";
import { formatEndpoint, type AppAddresses, type Endpoint } from "../index.js";

/** What a person reads when the program has started: where it listens, what it counts, and what to try. */
export function formatBanner(config: Config, { inbounds, api }: AppAddresses): string {
  const lines = [
    ...inbounds.map(({ tag, type, address }) =>
      line(`inbound ${tag}`, `${type} on ${formatListen(address)}`),
    ),
    line(
      "v2ray api",
      api === undefined ? 'off: "experimental.v2ray_api.listen" is empty' : formatListen(api),
    ),
    line("counting", formatCounted(config)),
    ...(api === undefined
      ? []
      : [line("try", formatCurl(api, secretsOf(config.experimental.v2ray_api).length > 0))]),
  ];
  return lines.join("");
}

function line(name: string, text: string): string {
  return `${name.padEnd(20)} ${text}\n`;
}

function formatListen(address: Endpoint): string {
  return address.host === "" ? `every address, port ${address.port}` : formatEndpoint(address);
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
function formatCurl({ host, port }: Endpoint, withSecret: boolean): string {
  const url = `http://${formatEndpoint({ host: reachableHost(host), port })}`;
  const authorization = withSecret ? ' -H "authorization: Bearer $V2RAY_API_SECRET"' : "";
  const path = "/v2ray.core.app.stats.command.StatsService/QueryStats";
  return `curl -s '${url}${path}' -H 'content-type: application/json'${authorization} -d '{}'`;
}

/** An address to reach a listener at that listens on every one. */
function reachableHost(host: string): string {
  if (host === "::") return "::1";
  return host === "" || host === "0.0.0.0" ? "127.0.0.1" : host;
}
