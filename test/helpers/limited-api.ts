import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { count, startApi, userUplink, type TestApi } from "./api-server.js";
import { envelope, envelopesOf, queryStatsRequest } from "./grpc.js";
import { scrape } from "./metrics.js";
import { versions, type HttpAnswer } from "./raw-http.js";

/** Whose counter a {@link startLimited} server has. */
export const alice = userUplink("alice");

/** A query, as a protocol has it. */
export interface Query {
  readonly patterns: readonly string[];
  readonly regexp?: boolean;
}

export interface Protocol {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly compressed: Readonly<Record<string, string>>;
  readonly encode: (query: Query) => Uint8Array;
  /** Puts a message into the body of a request. */
  readonly wrap: (message: Uint8Array, isCompressed: boolean) => Uint8Array;
  readonly isHttp1: boolean;
}

const enveloped = (message: Uint8Array, isCompressed: boolean) => envelope(message, isCompressed ? 1 : 0);
const bare = (message: Uint8Array) => message;
const binary = ({ patterns, regexp = false }: Query) =>
  queryStatsRequest({ patterns: [...patterns], regexp, reset: true });

export const protocols: readonly Protocol[] = [
  {
    ...{ protocol: "Connect JSON", headers: { "content-type": "application/json" } },
    compressed: { "content-encoding": "gzip" },
    encode: (query) => Buffer.from(JSON.stringify({ ...query, reset: true })),
    ...{ wrap: bare, isHttp1: true },
  },
  {
    ...{ protocol: "Connect binary", headers: { "content-type": "application/proto" } },
    compressed: { "content-encoding": "gzip" },
    ...{ encode: binary, wrap: bare, isHttp1: true },
  },
  {
    ...{ protocol: "gRPC-Web", headers: { "content-type": "application/grpc-web+proto" } },
    compressed: { "grpc-encoding": "gzip" },
    ...{ encode: binary, wrap: enveloped, isHttp1: true },
  },
  {
    ...{ protocol: "gRPC", headers: { "content-type": "application/grpc", te: "trailers" } },
    compressed: { "grpc-encoding": "gzip" },
    ...{ encode: binary, wrap: enveloped, isHttp1: false },
  },
];

export const ways = protocols.flatMap((protocol) =>
  versions.slice(protocol.isHttp1 ? 0 : 1).map((version) => ({ ...protocol, ...version })),
);

const codes: Readonly<Record<string, string>> = {
  ...{ 0: "ok", 3: "invalid_argument", 8: "resource_exhausted", 14: "unavailable" },
};

/** How a call ended, in Connect's words, in any protocol. */
export function codeOf({ status, headers, trailers, body }: HttpAnswer): string {
  const contentType = String(headers["content-type"]);
  if (contentType.startsWith("application/grpc-web")) {
    const last = envelopesOf(body).at(-1)?.data.toString() ?? "";
    return codes[/grpc-status: (\d+)/.exec(last)?.[1] ?? ""] ?? last;
  }
  if (contentType.startsWith("application/grpc")) {
    return codes[String(trailers["grpc-status"] ?? headers["grpc-status"])] ?? "";
  }
  return status === 200 ? "ok" : (JSON.parse(body.toString()) as { code: string }).code;
}

/** How many refusals the metrics tell of, by reason, those left out of which there are none. */
export async function refusalsOf({ port }: TestApi): Promise<Record<string, number>> {
  const series = Object.entries(await scrape(port)).map(([name, value]): [string, number] => [
    /^v2ray_api_refused_requests_total\{reason="(\w+)"\}$/.exec(name)?.[1] ?? "",
    Number(value),
  ]);
  return Object.fromEntries(series.filter(([reason, value]) => reason !== "" && value > 0));
}

/** Waits until the metrics tell of that many, and of nothing else. */
export async function refused(api: TestApi, expected: Record<string, number>): Promise<void> {
  for (;;) {
    const refusals = await refusalsOf(api);
    const isThere = Object.entries(expected).every(([reason, value]) => (refusals[reason] ?? 0) >= value);
    if (isThere) {
      assert.deepEqual(refusals, expected);
      return;
    }
    await nextTurn();
  }
}

/** A server with one counter. */
export async function startLimited(t: TestContext, options: Partial<ApiServerOptions>): Promise<TestApi> {
  const api = await startApi(t, options);
  count(api.store, alice, 5);
  return api;
}
