import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import { readAll } from "./bytes.js";

/** The names under which the StatsService is served: V2Ray's, Xray's and the one in sing-box's .proto file. */
export const serviceNames = [
  "v2ray.core.app.stats.command.StatsService",
  "xray.app.stats.command.StatsService",
  "experimental.v2rayapi.StatsService",
] as const;

const commonMethods = ["GetStats", "QueryStats", "GetSysStats"] as const;
const xrayMethods = ["GetStatsOnline", "GetStatsOnlineIpList", "GetAllOnlineUsers", "GetUsersStats"] as const;

/** The methods that a name has, in the order of its .proto file: Xray's are its own and, since it serves that too, V2Ray's. */
export function methodsOf(service: (typeof serviceNames)[number]): readonly string[] {
  return service === "experimental.v2rayapi.StatsService"
    ? commonMethods
    : [...commonMethods, ...xrayMethods];
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Calls the API as a Connect client with JSON over HTTP/1.1, on a connection of its own. */
export async function callJson(
  api: string,
  method: string,
  message: object = {},
  service: string = serviceNames[0],
): Promise<JsonAnswer> {
  const request = httpRequest(`http://${api}/${service}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  request.end(JSON.stringify(message));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const body = await readAll(response);
  assert.ok(response.statusCode !== undefined);
  return { status: response.statusCode, headers: response.headers, body: body.toString() };
}

/** Counter values by name, in the order of the answer. */
export type Counters = Readonly<Record<string, bigint>>;

/** All counters, or those that the request of QueryStats asks for. */
export async function queryCounters(api: string, message: object = {}): Promise<Counters> {
  const { status, body } = await callJson(api, "QueryStats", message);
  assert.equal(status, 200, body);
  const { stat = [] } = JSON.parse(body) as { stat?: readonly { name: string; value?: string }[] };
  return Object.fromEntries(stat.map(({ name, value = "0" }) => [name, BigInt(value)]));
}

/** The counters of one user's connections, where everything is counted. */
export function expectedCounters(
  user: string,
  { up, down }: { readonly up: number; readonly down: number },
): Counters {
  return Object.fromEntries(
    [`inbound>>>mixed-in`, `outbound>>>direct`, `user>>>${user}`].flatMap((subject) => [
      [`${subject}>>>traffic>>>uplink`, BigInt(up)],
      [`${subject}>>>traffic>>>downlink`, BigInt(down)],
    ]),
  );
}

/** What several users' counters are together: each name once, with the sum of its values. */
export function sumCounters(all: readonly Counters[]): Counters {
  const sums: Record<string, bigint> = {};
  for (const [name, value] of all.flatMap(Object.entries<bigint>)) sums[name] = (sums[name] ?? 0n) + value;
  return sums;
}

const settleMs = 5_000;

/**
 * Waits until the counters are as expected: they may be behind what the other end has seen, for less than a second. Fails
 * with the difference after 5 s.
 *
 * @param expected - Asked each time: the other end, too, may have a last word to hear.
 */
export async function assertCounters(api: string, expected: () => Counters): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const counters = await queryCounters(api);
    try {
      assert.deepEqual(counters, expected());
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
