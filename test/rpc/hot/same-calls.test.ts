import { serviceNames } from "../../helpers/api-client.js";
import { count, paths, userUplink } from "../../helpers/api-server.js";
import { getStatsRequest, queryStatsRequest } from "../../helpers/grpc.js";
import { alice, describeSame, idle, protocols, umlauts, type SameCase } from "../../helpers/same-answers.js";

interface Call {
  readonly what: string;
  readonly path: string;
  readonly message: Uint8Array;
}

const { getStats, queryStats, getSysStats } = paths;
const nothing = Buffer.alloc(0);

const calls: readonly Call[] = [
  { what: "a counter", path: getStats, message: getStatsRequest({ name: alice }) },
  { what: "a counter at 0", path: getStats, message: getStatsRequest({ name: idle }) },
  {
    what: "a counter at the most, with a name in UTF-8",
    path: getStats,
    message: getStatsRequest({ name: umlauts }),
  },
  { what: "a counter that is reset", path: getStats, message: getStatsRequest({ name: alice, reset: true }) },
  {
    what: "a counter at 0 that is reset",
    path: getStats,
    message: getStatsRequest({ name: idle, reset: true }),
  },
  { what: "no such counter", path: getStats, message: getStatsRequest({ name: "nobody" }) },
  { what: "a counter without a name", path: getStats, message: nothing },
  {
    what: "no such counter to reset",
    path: getStats,
    message: getStatsRequest({ name: "nobody", reset: true }),
  },
  ...[" ünïcödé 🦆%20 ", "%\r\n\0\x7f~\"'", "x".repeat(1_900), "é".repeat(3_000), "🦆".repeat(1_500)].map(
    (name) => ({
      what: `no such counter with a name of ${name.length} awkward characters`,
      path: getStats,
      message: getStatsRequest({ name }),
    }),
  ),
  { what: "all counters", path: queryStats, message: nothing },
  { what: "all counters that are reset", path: queryStats, message: queryStatsRequest({ reset: true }) },
  { what: "a pattern of the older kind", path: queryStats, message: Buffer.from("\x0a\x03ali") },
  {
    what: "patterns that are reset",
    path: queryStats,
    message: queryStatsRequest({ patterns: ["ünï", "idle"], reset: true }),
  },
  { what: "a pattern of nobody", path: queryStats, message: queryStatsRequest({ patterns: ["nobody"] }) },
  {
    what: "an expression",
    path: queryStats,
    message: queryStatsRequest({ patterns: ["a.*e>"], regexp: true }),
  },
  {
    what: "expressions that are reset",
    path: queryStats,
    message: queryStatsRequest({ patterns: ["^user>>>al", "🦆"], regexp: true, reset: true }),
  },
  {
    what: "a bad expression",
    path: queryStats,
    message: queryStatsRequest({ patterns: ["(ünï"], regexp: true, reset: true }),
  },
  {
    what: "an expression that is too much",
    path: queryStats,
    message: queryStatsRequest({ patterns: ["a{2000}"], regexp: true }),
  },
  { what: "the server's own figures", path: getSysStats, message: nothing },
  { what: "a field that is not known", path: getSysStats, message: Buffer.from([0x7a, 0x01, 0x41]) },
];

describeSame(
  "a call",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    calls.map(({ what, path, message }): SameCase => ({
      what: `${what}, by ${protocol}`,
      sent: { path, headers, body: wrap(message) },
      isHot: true,
    })),
  ),
);

describeSame(
  "a call under each name of the service",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    serviceNames.flatMap((service) =>
      [
        { method: "GetStats", message: getStatsRequest({ name: alice, reset: true }) },
        { method: "QueryStats", message: queryStatsRequest({ reset: true }) },
        { method: "GetSysStats", message: nothing },
      ].map(({ method, message }) => ({
        what: `${service}/${method}, by ${protocol}`,
        sent: { path: `/${service}/${method}`, headers, body: wrap(message) },
        isHot: true,
      })),
    ),
  ),
);

describeSame(
  "an answer that takes several pieces",
  protocols.map(({ protocol, headers, wrap }) => ({
    what: protocol,
    sent: { path: queryStats, headers, body: wrap(queryStatsRequest({ reset: true })) },
    fill: (store) => {
      for (let index = 0; index < 5_000; index++) count(store, userUplink(`user ${index}`), index ** 3);
    },
    isHot: true,
  })),
);

const secrets = [
  { name: "reader", secret: "r" },
  { name: "biller", secret: "b", reset: true },
];

describeSame(
  "a call with a secret",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      { what: "a right one", authorization: "Bearer r", reset: false, isHot: true },
      { what: "a right one in other letters", authorization: "bearer  r", reset: false, isHot: true },
      { what: "one that may reset", authorization: "Bearer b", reset: true, isHot: true },
      { what: "one that may not reset", authorization: "Bearer r", reset: true, isHot: true },
      { what: "a wrong one", authorization: "Bearer x", reset: true, isHot: false },
      { what: "an empty one", authorization: "Bearer ", reset: true, isHot: false },
      { what: "none", reset: true, isHot: false },
    ].flatMap(({ what, authorization, reset, isHot }) => {
      const allHeaders = { ...headers, ...(authorization !== undefined && { authorization }) };
      return [
        { path: getStats, body: wrap(getStatsRequest({ name: alice, reset })) },
        { path: queryStats, body: wrap(queryStatsRequest({ reset })) },
      ].map((request) => ({
        what: `${what}, for ${request.path.split("/").at(-1) ?? ""} by ${protocol}`,
        sent: { ...request, headers: allHeaders },
        secrets,
        isHot,
      }));
    }),
  ),
);
