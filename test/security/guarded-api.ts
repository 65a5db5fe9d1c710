import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { DescMethod, DescService, JsonObject } from "@bufbuild/protobuf";
import { StatsService as SingBoxStatsService } from "#gen/experimental/v2rayapi/stats_pb.js";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.js";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { connectUser, count, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { bodyOf, messageOf, type CallMessage } from "../helpers/call-protocols.js";
import { fixtureTls } from "../helpers/tls-port.js";
import { versions, type HttpAnswer, type HttpRequest } from "../helpers/raw-http.js";

/** A kind of connection that an attack can come over. */
export interface Listener {
  readonly over: string;
  readonly version: string;
  /** The header that says whom a request means. */
  readonly hostHeader: string;
  /** What the server is given to be reached so. */
  readonly options: Partial<ApiServerOptions>;
  readonly ask: (api: TestApi, request: HttpRequest) => Promise<HttpAnswer>;
}

/** The certificate is not for the names that an attacker makes up, and a client of Node's would check it for the Host. */
const anyName = { checkServerIdentity: () => undefined };

/** Every kind of connection, for tables: an attack that is refused over one of them only is not refused. */
export const listeners: readonly Listener[] = versions.flatMap(({ version, send }) => {
  const common = { version, hostHeader: version === "HTTP/2" ? ":authority" : "host" };
  return [
    { ...common, over: version, options: {}, ask: async ({ port }, request) => send(port, request) },
    {
      ...common,
      over: `${version} under TLS`,
      options: { tls: fixtureTls },
      ask: async ({ port }, request) => send({ tlsPort: port, options: anyName }, request),
    },
  ];
});

/** One call that an attacker may try. */
export interface AttackerCall {
  readonly path: string;
  readonly message: CallMessage;
  /** Whether it sets counters to zero. */
  readonly isReset: boolean;
}

/** A name that no refusal contains, nor a figure, an address or a secret. */
const user = "mallorys-victim";
const bytes = 987_654_321;
const address = "192.0.2.77";

/** The counter that the attacks are after. */
export const counterName = userUplink(user);

/** Those who may call: one of them may reset. */
export const secrets = [
  { name: "panel", secret: "panel-s3cret", reset: true },
  { name: "grafana", secret: "grafana-s3cret", reset: false },
] as const;

/** The origin whose pages may call. */
export const allowedOrigin = "https://panel.example";

/** The header that has a secret. */
export function bearer(secret: string): { readonly authorization: string } {
  return { authorization: `Bearer ${secret}` };
}

/** A server with something to steal: a counter, and a user who is online. */
export async function startGuarded(
  t: TestContext,
  { options }: Listener,
  more: Partial<ApiServerOptions> = { secrets },
): Promise<TestApi> {
  const api = await startApi(t, { allowedOrigins: [allowedOrigin], ...options, ...more });
  count(api.store, counterName, bytes);
  connectUser(api, user, address);
  return api;
}

/** Fails if an answer, or what was logged, has anything of what there is to steal. */
export function assertTellsNothing(...told: readonly (HttpAnswer | object)[]): void {
  const text = told
    .map((part) => JSON.stringify(part) + ("body" in part ? bodyOf(part).toString("latin1") : ""))
    .join("\n");
  assert.doesNotMatch(text, new RegExp(`${user}|${bytes}|${address.replaceAll(".", "\\.")}|s3cret`));
}

/** Fails if a counter is not what it was. */
export function assertNothingReset({ store }: TestApi): void {
  assert.deepEqual(valuesOf(store), { [counterName]: BigInt(bytes) });
}

/** What each method is asked for; what can be reset is. */
const questions: Readonly<Record<string, JsonObject>> = {
  GetStats: { name: counterName, reset: true },
  QueryStats: { patterns: [""], reset: true },
  GetUsersStats: { includeTraffic: true, reset: true },
  GetStatsOnline: { name: `user>>>${user}>>>online` },
  GetStatsOnlineIpList: { name: `user>>>${user}>>>online` },
  ServerReflectionInfo: { listServices: "" },
};

/** Every method of the StatsService under each of its names, and reflection in both versions. */
export const attackerCalls: readonly AttackerCall[] = (
  [StatsService, XrayStatsService, SingBoxStatsService, ServerReflection, ServerReflectionV1Alpha] as const
).flatMap((service: DescService) => service.methods.map((method) => callOf(service, method)));

/** Those that reset. */
export const resettingCalls = attackerCalls.filter(({ isReset }) => isReset);

function callOf({ typeName }: DescService, { name, input }: DescMethod): AttackerCall {
  const question = questions[name] ?? {};
  return {
    path: `/${typeName}/${name}`,
    message: messageOf(input, question),
    isReset: question["reset"] === true,
  };
}
