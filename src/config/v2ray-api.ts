import { z } from "zod";
import { maxPort } from "../net/endpoint.js";
import { parseListenAddress, type ListenAddress } from "../net/listen-address.js";
import { maxCountersRange } from "../stats/counter-store.js";
import { everyName } from "../track/stats-tracker.js";
import { apiLimitsSchema } from "./api-limits.js";
import { secretsShape } from "./api-secrets.js";
import { apiTlsSchema } from "./api-tls.js";
import { countField, flagField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { oneOf, section } from "./section.js";

/** The section `experimental.v2ray_api`: the API server, and what is counted. */
export type V2RayApiConfig = z.output<typeof v2rayApiSchema>;

/** The section `experimental.v2ray_api.stats`: whose bytes are counted. */
export type StatsConfig = z.output<typeof statsSchema>;

/** The names of whom to count, `*` for all there are. A repeated name counts once. Default: none. */
function namesField(about: string, expected: string) {
  return listOrOne(textField(about, `${expected} or "${everyName}"`))
    .transform((names) => [...new Set(names)])
    .default([])
    .describe(about);
}

const statsSchema = section({
  enabled: flagField("Whether anything is counted, and the StatsService served.").default(false),
  inbounds: namesField("The inbounds to count; `*` counts every one.", "the tag of an inbound"),
  outbounds: namesField("The outbounds to count; `*` counts every one.", "the tag of an outbound"),
  users: namesField(
    "The users to count, and to list while they are online; `*` means everyone who logs in.",
    "a user name of some inbound",
  ),
  max_counters: countField(
    "How many counters there may be, at some 200 bytes each. What comes up beyond them is served and not counted.",
    maxCountersRange,
  ).default(maxCountersRange.default),
  online_loopback: flagField(
    "Whether a connection from the machine itself (127.0.0.0/8, ::1) makes its user online. Xray leaves these out.",
  ).default(true),
})
  .prefault({})
  .describe(
    "Whose bytes are counted: nobody's but those named here. `*` names all there are, beside others too.",
  );

/** Whose names the metrics have. */
const metricPrefixes = ["v2ray", "xray"] as const;

const metricsSchema = section({
  enabled: flagField(
    "Whether `/metrics` and `/scrape` (for Prometheus) and `/debug/vars` (as Xray has it) are served. They stand behind the same guards as the calls.",
  ).default(true),
  prefix: z
    .enum(metricPrefixes, { error: oneOf(metricPrefixes) })
    .default("v2ray")
    .describe(
      "What the names of the metrics begin with, for the dashboards that there are. Those that v2ray-exporter does not have begin with `v2ray_api_` all the same.",
    ),
  users: flagField(
    "Whether users have series of their own, two for each who is counted. Without them, whoever reads the metrics learns no names.",
  ).default(true),
})
  .prefault({})
  .describe("What is served beside the calls, on the same port. sing-box has no such keys.");

/** Checks the section `experimental.v2ray_api`. It may be missing as a whole. */
export const v2rayApiSchema = section({
  /** Becomes addresses, with an empty host for every address of the machine; none where the API is off. */
  listen: listOrOne(
    textField(
      "An address.",
      `"host:port", "[IPv6]:port" or ":port" with a port from 0 to ${maxPort}, "unix:/path", or "" for no API`,
      (text) => text === "" || parseListenAddress(text) !== undefined,
    ),
  )
    .transform(toAddresses)
    .default([])
    .describe(
      'Where the API listens: at one or more of `"host:port"`, `"[IPv6]:port"`, `":port"` for every address of the machine, and `"unix:/path"`; port 0 takes any free port, and `""` is no API. Beyond loopback it has to have a secret or mutual TLS, unless `insecure` is true. A Unix socket can be opened by the user that the server runs as (and root) alone; it replaces one that nobody answers on, and no other file.',
    ),
  ...secretsShape,
  tls: apiTlsSchema,
  insecure: flagField(
    "Whether the API may listen beyond loopback without a secret or mutual TLS, so that whoever reaches it can read and reset the counters.",
  ).default(false),
  allow_from_proxy: flagField(
    "Whether clients of the proxy may connect to the API through it, and so come to it from this machine.",
  ).default(false),
  // Never "*": whoever can call the API can read and reset the counters.
  access_control_allow_origin: listOrOne(
    textField(
      "The origin of a web page.",
      'an origin as browsers write it, such as "https://panel.example" (no path, no "*")',
      isOrigin,
    ),
  )
    .default([])
    .describe("The origins of the web pages that may call the API from a browser."),
  stats: statsSchema,
  metrics: metricsSchema,
  limits: apiLimitsSchema,
})
  .prefault({})
  .describe("The V2Ray API: where its server listens, and what it counts.");

/** Whether a list of whom to count names all there are. */
export function namesEvery(names: readonly string[]): boolean {
  return names.includes(everyName);
}

function toAddresses(texts: readonly string[]): readonly ListenAddress[] {
  return texts.flatMap((text) => parseListenAddress(text) ?? []);
}

function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}
