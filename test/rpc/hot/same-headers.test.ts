import { exchanges } from "../../helpers/exchange.js";
import { count, paths, userUplink } from "../../helpers/api-server.js";
import { getStatsRequest, queryStatsRequest } from "../../helpers/grpc.js";
import {
  alice,
  connect,
  describeSame,
  grpc,
  grpcWeb,
  protocols,
  type BinaryProtocol,
} from "../../helpers/same-answers.js";

const path = paths.getStats;
const queryPath = paths.queryStats;
const get = getStatsRequest({ name: alice, reset: true });
const query = queryStatsRequest({ reset: true });
const farAway = ["99999999H", "2147484S"];
// What ends within the same turn of the event loop is left out: with the router it depends on when timers have their turn.
const grpcTimeouts = {
  valid: ["0m", "0H", "99999999u", "60S", "60000m", "1H", ...farAway],
  malformed: ["", "1", "m", "-1S", "1.5S", "123456789S", "1 S", "1s", "1Sx"],
};
const connectTimeouts = {
  valid: ["0", "60000", "0060000", "2147483648", "9999999999"],
  malformed: ["", "-1", "1.5", "12345678901", "1s", "1e3"],
};
/** The names of counters whose answers are of these lengths. */
const namesOf = { short: nameFor(1_023), long: nameFor(1_024) };

function nameFor(answerLength: number): string {
  // The tag and the length, of two bytes each, of a stat and of its name, and a value with its tag.
  const overhead = 3 + 3 + 2;
  return userUplink("x".repeat(answerLength - overhead - userUplink("").length));
}

describeSame(
  "a deadline",
  protocols.flatMap(({ protocol, headers, timeoutHeader, wrap }) => {
    const { valid, malformed } = timeoutHeader === "grpc-timeout" ? grpcTimeouts : connectTimeouts;
    const calls = [
      { call: "GetStats", path, body: wrap(get) },
      { call: "QueryStats", path: queryPath, body: wrap(query) },
      { call: "GetSysStats", path: paths.getSysStats, body: wrap(Buffer.alloc(0)) },
    ];
    return [
      ...valid.map((text) => ({
        text,
        isHot: true,
        asked: text.startsWith("0") ? calls : calls.slice(1, 2),
      })),
      ...malformed.map((text) => ({ text, isHot: false, asked: calls.slice(0, 1) })),
    ].flatMap(({ text, isHot, asked }) =>
      asked.map(({ call, ...request }) => ({
        what: `${JSON.stringify(text)} for ${call}, by ${protocol}`,
        sent: { ...request, headers: { ...headers, [timeoutHeader]: text } },
        isHot,
      })),
    );
  }),
);

describeSame("a deadline of another protocol", [
  {
    what: "gRPC's for Connect",
    sent: { path, headers: { ...connect.headers, "grpc-timeout": "0m" }, body: get },
    isHot: true,
  },
  {
    what: "Connect's for gRPC",
    sent: { path, headers: { ...grpc.headers, "connect-timeout-ms": "0" }, body: grpc.wrap(get) },
    isHot: true,
  },
]);

describeSame(
  "an answer that may be compressed",
  protocols.flatMap(({ protocol, headers, acceptHeader, wrap }) =>
    [
      "gzip",
      "identity,gzip",
      "br, gzip",
      "br",
      "",
      "identity",
      "GZIP",
      "gzip;q=0",
      "*",
      "deflate,gzip,x",
    ].flatMap((accepted) => {
      const allHeaders = { ...headers, [acceptHeader]: accepted };
      const answers = [
        { what: "a long one", path: queryPath, message: query },
        { what: "a short one", path, message: get },
        { what: "a failure", path, message: getStatsRequest({ name: "nobody" }) },
        { what: "a long failure", path, message: getStatsRequest({ name: "nobody".repeat(300) }) },
        { what: "one of 1,023 bytes", path, message: getStatsRequest({ name: namesOf.short }) },
        { what: "one of 1,024 bytes", path, message: getStatsRequest({ name: namesOf.long }) },
      ];
      return (accepted === "gzip" ? answers : answers.slice(0, 1)).map(({ what, message, ...request }) => ({
        what: `${what}, ${JSON.stringify(accepted)}, by ${protocol}`,
        sent: { ...request, headers: allHeaders, body: wrap(message) },
        fill: (store) => {
          count(store, alice, 100);
          for (const name of Object.values(namesOf)) count(store, name, 100);
        },
        isHot: true,
      }));
    }),
  ),
);

describeSame("what may be compressed in another protocol", [
  {
    what: "Connect's header for gRPC",
    sent: {
      path: queryPath,
      headers: { ...grpc.headers, "accept-encoding": "gzip" },
      body: grpc.wrap(query),
    },
    isHot: true,
  },
  {
    what: "gRPC's header for Connect",
    sent: { path: queryPath, headers: { ...connect.headers, "grpc-accept-encoding": "gzip" }, body: query },
    isHot: true,
  },
]);

const contentTypes: readonly (BinaryProtocol & { readonly type: string; readonly isHot: boolean })[] = [
  { ...grpc, type: "application/grpc", isHot: true },
  { ...grpc, type: "application/grpc+proto", isHot: true },
  { ...grpc, type: "application/grpc;charset=utf-8", isHot: false },
  { ...grpc, type: "Application/gRPC", isHot: false },
  { ...grpc, type: "application/grpc+proto; a=b", isHot: false },
  { ...grpc, type: "application/grpc+json", isHot: false },
  { ...grpc, type: "application/grpc+thrift", isHot: false },
  { ...grpcWeb, type: "application/grpc-web", isHot: true },
  { ...grpcWeb, type: "application/grpc-web+proto", isHot: true },
  { ...grpcWeb, type: "APPLICATION/GRPC-WEB+PROTO", isHot: false },
  { ...grpcWeb, type: "application/grpc-web;x", isHot: false },
  { ...grpcWeb, type: "application/grpc-web-text", isHot: false },
  { ...connect, type: "application/proto", isHot: true },
  { ...connect, type: "application/proto; charset=utf-8", isHot: false },
  { ...connect, type: "Application/Proto", isHot: false },
  { ...connect, type: "application/connect+proto", isHot: false },
  { ...connect, type: "application/json", isHot: false },
  { ...connect, type: "application/octet-stream", isHot: false },
  { ...connect, type: "text/plain", isHot: false },
];

describeSame(
  "a content type",
  contentTypes.map(({ type, headers, wrap, isHot }) => ({
    what: type,
    sent: { path, headers: { ...headers, "content-type": type }, body: wrap(get) },
    isHot,
  })),
);

describeSame("a request without a content type", [
  { what: "with a body", sent: { path, body: get }, isHot: false },
  { what: "with none", sent: { path, body: Buffer.alloc(0) }, isHot: false },
]);

describeSame(
  "a request that is no call as it should be",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      ...["GET", "PUT", "DELETE", "PATCH", "OPTIONS"].map((method) => ({
        what: method,
        method,
        path,
        isHot: false,
      })),
      { what: "a query", path: `${path}?name=bob`, isHot: false },
      { what: "an empty query", path: `${path}?`, isHot: false },
      { what: "an unknown method", path: path.replace("GetStats", "SetStats"), isHot: false },
      { what: "an unknown service", path: "/nobody/GetStats", isHot: false },
      { what: "a slash behind it", path: `${path}/`, isHot: false },
      { what: "two slashes before it", path: `/${path}`, isHot: false },
      { what: "other letters", path: path.toLowerCase(), isHot: false },
      { what: "an escaped letter", path: path.replace("G", "%47"), isHot: false },
    ].map(({ what, isHot, ...request }) => ({
      what: `${what}, ${protocol}`,
      sent: { ...request, headers, body: wrap(get) },
      isHot,
    })),
  ),
);

describeSame(
  "metadata",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      { what: "of the caller's own", more: { "x-own": "a, b", "x-own-bin": "AAEC" } },
      { what: "with bytes that are not ASCII", more: { "x-own": "ü" } },
      { what: "with no value", more: { "x-own": "" } },
      { what: "with cookies", more: { cookie: "a=b; c=d" } },
      { what: "named like the status", more: { "grpc-status": "5", "grpc-message": "x" } },
      { what: "of another version of Connect", more: { "connect-protocol-version": "2" } },
      { what: "of a proxy", more: { "x-forwarded-for": "192.0.2.1", "x-http-method-override": "GET" } },
      { what: "with a user agent", more: { "user-agent": "grpc-go/1.60.0" } },
    ].map(({ what, more }) => ({
      what: `${what}, ${protocol}`,
      sent: { path, headers: { ...headers, ...more }, body: wrap(get) },
      isHot: true,
    })),
  ),
);

const panel = "https://panel.example";

describeSame(
  "a page's call",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      { what: "of an allowed origin", more: { origin: panel }, isHot: true },
      { what: "of a foreign origin", more: { origin: "https://evil.example" } },
      { what: "of an origin that is none", more: { origin: "null" } },
      {
        what: "of an allowed origin that asks first",
        method: "OPTIONS",
        more: {
          origin: panel,
          "access-control-request-method": "POST",
          "access-control-request-headers": "x-own",
        },
      },
      {
        what: "of a foreign origin that asks first",
        method: "OPTIONS",
        more: { origin: "https://evil.example", "access-control-request-method": "POST" },
      },
    ].map(({ what, more, isHot = false, ...request }) => ({
      what: `${what}, ${protocol}`,
      sent: { ...request, path, headers: { ...headers, ...more }, body: wrap(get) },
      allowedOrigins: [panel],
      isHot,
    })),
  ),
);

const hosts = [
  { host: "localhost", isHot: true },
  { host: "localhost:1", isHot: true },
  { host: "192.0.2.1", isHot: true },
  { host: "[::1]:80", isHot: true },
  { host: "evil.example", isHot: false },
  { host: "localhost:99999", isHot: false },
  { host: "[", isHot: false },
  { host: "a@localhost", isHot: false },
];

for (const { name, field, over } of [
  { name: "Host", field: "host", over: exchanges },
  { name: ":authority", field: ":authority", over: exchanges.filter(({ version }) => version === "HTTP/2") },
]) {
  describeSame(
    name,
    hosts.map(({ host, isHot }) => ({
      what: JSON.stringify(host),
      sent: { path, headers: { ...grpcWeb.headers, [field]: host }, body: grpcWeb.wrap(get) },
      // Whoever names a host in HTTP/2 says :authority.
      isHot,
    })),
    over,
  );
}
