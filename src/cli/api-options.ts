import { regexpOption, resetOption, serverOptions } from "./client-options.js";
import type { CommandOptions } from "./command.js";

const sharedOptions = {
  ...serverOptions,
  json: { type: "boolean", summary: "print JSON (what is Xray's always does)" },
} as const satisfies CommandOptions;

const email = { type: "string", default: "", value: "USER", summary: "whose connections are meant" } as const;

/** The options of `v2ray-api api stats`: V2Ray's and Xray's. */
export const apiStatsOptions = {
  ...sharedOptions,
  name: { type: "string", value: "NAME", summary: "the counter to print, as Xray does" },
  regexp: regexpOption,
  reset: resetOption,
  runtime: { type: "boolean", summary: "print figures of the serving process" },
} as const satisfies CommandOptions;

/** The options of `v2ray-api api statsquery`. */
export const apiStatsQueryOptions = {
  ...sharedOptions,
  pattern: { type: "string", default: "", value: "PATTERN", summary: "what the counters' names contain" },
  reset: resetOption,
} as const satisfies CommandOptions;

/** The options of the commands about one user. */
export const apiOnlineOptions = { ...sharedOptions, email } as const satisfies CommandOptions;

/** The options of all that takes no other ones. */
export const apiReadOptions = sharedOptions;
