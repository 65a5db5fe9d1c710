import { parseServerAddress, type ServerAddress } from "../client/server-address.js";
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
    summary: "where the API listens, HOST:PORT or unix:PATH",
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
    summary: "what the server asks for; better in V2RAY_API_SECRET or a file",
  },
  "secret-file": { type: "string", value: "FILE", summary: "a file with the secret" },
  tls: { type: "boolean", summary: "speak TLS, and trust the usual authorities" },
  ca: { type: "string", value: "FILE", summary: "speak TLS, and trust these certificates instead" },
  cert: { type: "string", value: "FILE", summary: "our own certificate, for a server that wants one" },
  key: { type: "string", value: "FILE", summary: "the key of that certificate" },
  "server-name": {
    type: "string",
    value: "NAME",
    summary: "whom the server's certificate has to be for, if not HOST",
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

/** What a client calls with, as far as its options say. */
export interface ClientFiles {
  readonly secret: string | undefined;
  /** The path of a file with the secret. */
  readonly secretFile: string | undefined;
  /** `undefined` for cleartext. */
  readonly tls: ClientTlsFiles | undefined;
}

/** The paths of the files that TLS needs, all in PEM. */
export interface ClientTlsFiles {
  readonly ca: string | undefined;
  readonly identity: { readonly cert: string; readonly key: string } | undefined;
  readonly serverName: string | undefined;
}

/** Where a client finds its server, how long it waits, and what it calls with. */
export interface ClientSettings extends ClientFiles {
  readonly server: ServerAddress;
  readonly timeoutMs: number;
}

/** The values of the options that every command has that calls a server. */
export interface ClientValues {
  readonly server: string;
  readonly timeout: string;
  readonly secret?: string | undefined;
  readonly "secret-file"?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly "server-name"?: string | undefined;
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
  const server = parseServerAddress(values.server);
  if (server === undefined) {
    const expected = "HOST:PORT, [IPv6]:PORT or unix:PATH";
    throw new UsageError(`server: expected ${expected}, got ${JSON.stringify(values.server)}`);
  }
  const { secret, "secret-file": secretFile } = values;
  if (secret !== undefined && secretFile !== undefined) {
    throw new UsageError("secret-file: expected no --secret beside it");
  }
  return {
    server,
    timeoutMs: parseSeconds("timeout", values.timeout),
    secret: parseSecret(secret ?? (secretFile === undefined ? env["V2RAY_API_SECRET"] : undefined)),
    secretFile,
    tls: parseTls(values),
  };
}

/** Whatever there is to say of TLS means that it is spoken. */
function parseTls(values: ClientValues): ClientTlsFiles | undefined {
  const { tls = false, ca, cert, key, "server-name": serverName } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(
      cert === undefined ? "key: expected --cert beside it" : "cert: expected --key beside it",
    );
  }
  if (!tls && (ca ?? cert ?? serverName) === undefined) return undefined;
  return { ca, identity: cert === undefined || key === undefined ? undefined : { cert, key }, serverName };
}

/**
 * An empty one is none: that is how a variable is left out in many a shell. No message shows one.
 *
 * @throws UsageError
 */
export function parseSecret(text: string | undefined): string | undefined {
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
