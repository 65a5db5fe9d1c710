import { parseEndpoint, type Endpoint } from "../net/endpoint.js";
import type { CommandOptions } from "./command.js";
import { UsageError } from "./usage-error.js";

const json = { type: "boolean", summary: "print JSON, as protobuf writes it" } as const;
const reset = { type: "boolean", summary: "set what is read to zero" } as const;

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
} as const satisfies CommandOptions;

/** The options of `v2ray-api stats`. */
export const statsOptions = {
  regexp: { type: "boolean", summary: "take the patterns for regular expressions (RE2)" },
  reset,
  json,
  ...serverOptions,
} as const satisfies CommandOptions;

/** The options of `v2ray-api get`. */
export const getOptions = { reset, json, ...serverOptions } as const satisfies CommandOptions;

/** The options of `v2ray-api sys` and `v2ray-api online`. */
export const readOptions = { json, ...serverOptions } as const satisfies CommandOptions;

/** The options of `v2ray-api top`. */
export const topOptions = {
  by: {
    type: "string",
    default: "user",
    value: "WHAT",
    summary: "whose rates are shown",
    choices: ["user", "inbound", "outbound"],
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

/** Where a client finds its server, and how long it waits. */
export interface ClientSettings {
  readonly server: Endpoint;
  readonly timeoutMs: number;
}

/**
 * Reads the options of every command that calls a server.
 *
 * @throws UsageError
 */
export function parseClientSettings(values: {
  readonly server: string;
  readonly timeout: string;
}): ClientSettings {
  const server = parseEndpoint(values.server);
  if (server === undefined || server.port === 0) {
    throw new UsageError(`server: expected HOST:PORT or [IPv6]:PORT, got ${JSON.stringify(values.server)}`);
  }
  return {
    server: { ...server, host: server.host === "" ? "localhost" : server.host },
    timeoutMs: parseSeconds("timeout", values.timeout),
  };
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
