import type { z } from "zod";
import { maxPort, parseEndpoint } from "../net/endpoint.js";
import { flagField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section } from "./section.js";

/** The section `experimental.v2ray_api`: the API server, and what is counted. */
export type V2RayApiConfig = z.output<typeof v2rayApiSchema>;

/** The section `experimental.v2ray_api.stats`: whose bytes are counted. */
export type StatsConfig = z.output<typeof statsSchema>;

/** The names of whom to count. A repeated name counts once. Default: none. */
const namesSchema = listOrOne(textField("a string"))
  .transform((names) => [...new Set(names)])
  .default([]);

const statsSchema = section({
  /** Whether anything is counted. Default: `false`, as in sing-box. */
  enabled: flagField().default(false),
  /** Tags of inbounds. */
  inbounds: namesSchema,
  /** Tags of outbounds. */
  outbounds: namesSchema,
  /** User names of any inbound. */
  users: namesSchema,
}).prefault({});

/** Checks the section `experimental.v2ray_api`. It may be missing as a whole. */
export const v2rayApiSchema = section({
  /**
   * `host:port`, `[IPv6]:port`, or `:port` for every address, which becomes an endpoint with an empty host. Port 0
   * takes any free port. Default, also for an empty string: `undefined`, the API is off.
   */
  listen: textField(
    `"host:port", "[IPv6]:port" or ":port" with a port from 0 to ${maxPort}, or "" for no API`,
    (text) => text === "" || parseEndpoint(text) !== undefined,
  )
    .default("")
    .transform((text) => parseEndpoint(text)),
  /**
   * Which web pages may call the API from a browser: their origins, spelled as browsers do in the header `Origin`.
   * Never `*`: whoever can call the API can read and reset the counters. Default: none.
   */
  access_control_allow_origin: listOrOne(
    textField('an origin as browsers write it, such as "https://panel.example" (no path, no "*")', isOrigin),
  ).default([]),
  stats: statsSchema,
}).prefault({});

function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}
