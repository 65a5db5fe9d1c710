import fc from "fast-check";
import { paths } from "../helpers/api-server.js";
import { envelope, getStatsRequest, queryStatsRequest } from "../helpers/grpc.js";
import { headerBlock, http1Text, http2Frame, http2Preface } from "../helpers/raw-http.js";
import { anyBytes, toBytes, toText } from "./byte-text.js";

/** The counter that the requests are about. */
export const counterName = "user>>>alice>>>traffic>>>uplink";

const xrayPath = "/xray.app.stats.command.StatsService/GetUsersStats";
const healthPath = "/grpc.health.v1.Health/Check";
const reflectionPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
/** The request for a list of all services: an empty string in the field 7. */
const listServices = Buffer.of((7 << 3) | 2, 0);

/** One request to the API, in parts. */
interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One character a byte. */
  readonly body: string;
}

/** Bodies of calls, each with its type; `isReset` only where the caller says so. */
function bodiesOf(isReset: boolean): readonly (readonly [path: string, contentType: string, body: string])[] {
  const get = toText(getStatsRequest({ name: counterName, reset: isReset }));
  const query = toText(queryStatsRequest({ patterns: ["alice"], reset: isReset }));
  const [getEnvelope, queryEnvelope] = [get, query].map((message) => toText(envelope(toBytes(message))));
  const reset = isReset ? `,"reset":true` : "";
  return [
    [paths.getStats, "application/json", `{"name":"${counterName}"${reset}}`],
    [paths.queryStats, "application/json", `{"patterns":[""]${reset}}`],
    [paths.getStats, "application/proto", get],
    [paths.getStats, "application/grpc", getEnvelope ?? ""],
    [paths.queryStats, "application/grpc", queryEnvelope ?? ""],
    [paths.queryStats, "application/grpc-web+proto", queryEnvelope ?? ""],
    [
      paths.queryStats,
      "application/grpc-web-text",
      Buffer.from(toBytes(queryEnvelope ?? "")).toString("base64"),
    ],
    [xrayPath, "application/json", `{"includeTraffic":true${reset}}`],
    [healthPath, "application/grpc", toText(envelope(Buffer.alloc(0)))],
    [reflectionPath, "application/grpc", toText(envelope(listServices))],
  ];
}

const extraHeaders = fc.constantFrom<Readonly<Record<string, string>>[]>(
  {},
  { te: "trailers" },
  { "grpc-timeout": "1S" },
  { "connect-timeout-ms": "1000", "connect-protocol-version": "1" },
  { "grpc-encoding": "gzip" },
  { origin: "http://127.0.0.1" },
);

/** Calls that read, and requests for something else. */
const reading: fc.Arbitrary<ApiRequest> = fc
  .tuple(
    fc.constantFrom(...bodiesOf(false)),
    extraHeaders,
    fc.constantFrom("POST", "POST", "POST", "GET", "OPTIONS"),
    fc.constantFrom("", "", "", "x", "?connect=v1&encoding=json"),
  )
  .map(([[path, contentType, body], headers, method, suffix]) => ({
    method,
    path: path + suffix,
    authority: "localhost",
    headers: { "content-type": contentType, ...headers },
    body,
  }));

/** Calls that reset, each with more than one thing in it for which it is refused. */
const refusedResets: fc.Arbitrary<ApiRequest> = fc
  .tuple(
    fc.constantFrom(...bodiesOf(true)),
    fc.constantFrom<Partial<ApiRequest>[]>(
      { authority: "evil.example" },
      { authority: "evil.example:8080", headers: { origin: "http://evil.example:8080" } },
      { path: "/v2ray.core.app.stats.command.StatsService/NoSuchMethod" },
      { path: "/no.such.Service/QueryStats" },
    ),
  )
  .map(([[path, contentType, body], fault]) => ({
    method: "POST",
    path,
    authority: "localhost",
    body,
    ...fault,
    headers: { "content-type": contentType, ...fault.headers },
  }));

function overHttp1({ method, path, authority, headers, body }: ApiRequest): string {
  return http1Text({ method, path, headers: { host: authority, ...headers }, body: toBytes(body) });
}

const settings = http2Frame(0x4, 0, 0, Buffer.alloc(0));

function overHttp2({ method, path, authority, headers, body }: ApiRequest): string {
  const fields = { ":method": method, ":scheme": "http", ":path": path, ":authority": authority, ...headers };
  return toText(
    Buffer.concat([
      Buffer.from(http2Preface),
      settings,
      http2Frame(0x1, 0x4, 1, headerBlock(fields)),
      http2Frame(0x0, 0x1, 1, toBytes(body)),
    ]),
  );
}

const anyFrames = fc
  .array(
    fc
      .tuple(fc.nat(11), fc.nat(255), fc.nat(3), anyBytes(40))
      .map(([type, flags, streamId, payload]) => toText(http2Frame(type, flags, streamId, toBytes(payload)))),
    { maxLength: 6 },
  )
  .map((frames) => frames.join(""));

function onTheWire(requests: fc.Arbitrary<ApiRequest>): fc.Arbitrary<string> {
  return fc.oneof(
    fc.array(requests.map(overHttp1), { minLength: 1, maxLength: 2 }).map((texts) => texts.join("")),
    fc.tuple(requests.map(overHttp2), anyFrames).map((texts) => texts.join("")),
  );
}

/** Right requests that reset nothing, in HTTP/1.1 or HTTP/2. */
export const readingBytes: fc.Arbitrary<string> = onTheWire(reading);

/** Requests that would reset the counter, were they not refused. */
export const refusedResetBytes: fc.Arbitrary<string> = onTheWire(refusedResets);

/** HTTP/2 from the first frame on, with nothing right in it but the frames. */
export const frameBytes: fc.Arbitrary<string> = anyFrames.map(
  (frames) => http2Preface + toText(settings) + frames,
);
