import { parseEndpoint, type Endpoint } from "../net/endpoint.js";
import { statScopes } from "../stats/stat-name.js";
import type { CommandOptions } from "./command.js";
import { UsageError } from "./usage-error.js";

const json = { type: "boolean", summary: "print JSON, as protobuf writes it" } as const;

/** The option of every command that can reset what it reads. */
export const resetOption = { type: "boolean", summary: "set what is read to zero" } as const;

/** The option of every command that reads counters by patterns. */
export const regexpOption = {
  type: "boolean",
  summary: "take the patterns for regular expressions (RE2)",
} as const;

/** The options of every command that calls a server. */
export const serverOptions = {
  server: {
    type: "string",
    short: "s",
    // V2Ray's and Xray's own default.
    default: "127.0.0.1:8080",
    value: "ADDR",
    summary: "where the API listens, HOST:PORT",
  },
  timeout: {
    type: "string",
    short: "t",
    default: "3",
    value: "S",
    summary: "how many seconds the server may take",
  },
  secret: {
    type: "string",
    value: "SECRET",
    summary: "what the server asks for; better in V2RAY_API_SECRET",
  },
} as const satisfies CommandOptions;

/** The options of `v2ray-api stats`. */
export const statsOptions = {
  regexp: regexpOption,
  reset: resetOption,
  json,
  ...serverOptions,
} as const satisfies CommandOptions;

/** The options of `v2ray-api get`. */
export const getOptions = { reset: resetOption, json, ...serverOptions } as const satisfies CommandOptions;

/** The options of `v2ray-api sys` and `v2ray-api online`. */
export const readOptions = { json, ...serverOptions } as const satisfies CommandOptions;

/** The options of `v2ray-api top`. */
export const topOptions = {
  by: {
    type: "string",
    default: "user",
    value: "WHAT",
    summary: "whose rates are shown",
    choices: statScopes,
  },
  interval: {
    type: "string",
    short: "i",
    default: "1",
    value: "S",
    summary: "how many seconds are between two readings",
  },
  count: { type: "string", short: "n", value: "N", summary: "end after that many tables" },
  ...serverOptions,
} as const satisfies CommandOptions;

/** Where a client finds its server, how long it waits, and what it shows. */
export interface ClientSettings {
  readonly server: Endpoint;
  readonly timeoutMs: number;
  readonly secret: string | undefined;
}

/** The values of the options that every command has that calls a server. */
export interface ClientValues {
  readonly server: string;
  readonly timeout: string;
  readonly secret?: string | undefined;
}

/**
 * Reads the options of every command that calls a server.
 *
 * @param env - Where the secret may be instead, out of sight of those who list processes. Default: it is not.
 * @throws UsageError
 */
export function parseClientSettings(
  values: ClientValues,
  env: Readonly<Record<string, string | undefined>> = {},
): ClientSettings {
  const server = parseEndpoint(values.server);
  if (server === undefined || server.port === 0) {
    throw new UsageError(`server: expected HOST:PORT or [IPv6]:PORT, got ${JSON.stringify(values.server)}`);
  }
  return {
    server: { ...server, host: server.host === "" ? "localhost" : server.host },
    timeoutMs: parseSeconds("timeout", values.timeout),
    secret: parseSecret(values.secret ?? env["V2RAY_API_SECRET"]),
  };
}

/** An empty one is none: that is how a variable is left out in many a shell. No message shows one. */
function parseSecret(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new UsageError("secret: expected visible ASCII characters without a blank");
}

/** gRPC writes a time in milliseconds with eight digits at most. */
const maxSeconds = 99_999;

/**
 * Reads a number of seconds, such as `3` or `0.5`, and returns milliseconds.
 *
 * @throws UsageError
 */
export function parseSeconds(name: string, text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds >= 0.001 && seconds <= maxSeconds) return Math.round(seconds * 1_000);
  throw new UsageError(`${name}: expected seconds from 0.001 to ${maxSeconds}, got ${JSON.stringify(text)}`);
}
