import { count, paths, userUplink } from "../../helpers/api-server.js";
import {
  alice,
  describeSame,
  idle,
  jsonProtocols,
  umlauts,
  type SameCase,
} from "../../helpers/same-answers.js";

interface Call {
  readonly what: string;
  readonly path: string;
  readonly text: string;
  /** Default: true. */
  readonly isHot?: boolean;
}

const { getStats, queryStats, getSysStats } = paths;

const calls: readonly Call[] = [
  { what: "a counter", path: getStats, text: JSON.stringify({ name: alice }) },
  { what: "a counter at 0", path: getStats, text: JSON.stringify({ name: idle }) },
  {
    what: "a counter at the most, with a name in UTF-8",
    path: getStats,
    text: JSON.stringify({ name: umlauts }),
  },
  { what: "a counter that is reset", path: getStats, text: JSON.stringify({ name: alice, reset: true }) },
  { what: "no such counter", path: getStats, text: '{"name":"nobody"}' },
  { what: "no such counter with an awkward name", path: getStats, text: '{"name":"\\u0000 %\\n🦆"}' },
  { what: "all counters", path: queryStats, text: "{}" },
  { what: "all counters, with space around it", path: queryStats, text: " \r\n{ }\t" },
  { what: "all counters that are reset", path: queryStats, text: '{"reset":true}' },
  { what: "a pattern of the older kind", path: queryStats, text: '{"pattern":"ali"}' },
  { what: "patterns that are reset", path: queryStats, text: '{"patterns":["ünï","idle"],"reset":true}' },
  { what: "a pattern of nobody", path: queryStats, text: '{"patterns":["nobody"]}' },
  { what: "an expression", path: queryStats, text: '{"patterns":["a.*e>"],"regexp":true}' },
  { what: "a bad expression", path: queryStats, text: '{"patterns":["("],"regexp":true,"reset":true}' },
  { what: "the server's own figures", path: getSysStats, text: "{}" },
  { what: "a field that is not known", path: queryStats, text: '{"pattern":"ali","unknown":[1]}' },
  { what: "what begins with a byte order mark", path: queryStats, text: "\ufeff{}" },
  { what: "a field twice", path: getStats, text: '{"name":"a","name":"b"}', isHot: false },
  { what: "null for a field", path: queryStats, text: '{"pattern":null,"patterns":null}' },
  ...["", "null", "[]", "{", '{"name":5}', '{"reset":"yes"}', '"text"', "{}{}"].map((text) => ({
    ...{ what: `what is no request, ${JSON.stringify(text)}`, path: getStats, text, isHot: false },
  })),
];

describeSame(
  "a call in JSON",
  jsonProtocols.flatMap(({ protocol, contentType, wrap }) =>
    calls.map(({ what, path, text, isHot = true }): SameCase => ({
      what: `${what}, by ${protocol}`,
      sent: { path, headers: { "content-type": contentType }, body: wrap(Buffer.from(text)) },
      isHot,
    })),
  ),
);

describeSame(
  "an answer in JSON that takes several pieces",
  jsonProtocols.flatMap(({ protocol, contentType, wrap }) =>
    [undefined, "gzip"].map((accepted) => ({
      what: `by ${protocol}, ${accepted ?? "not"} compressed`,
      sent: {
        path: queryStats,
        headers: {
          "content-type": contentType,
          ...(accepted !== undefined && { "grpc-accept-encoding": accepted, "accept-encoding": accepted }),
        },
        body: wrap(Buffer.from('{"reset":true}')),
      },
      fill: (store: Parameters<typeof count>[0]) => {
        for (let index = 0; index < 3_000; index++) count(store, userUplink(`user "${index}"`), index ** 3);
      },
      isHot: true,
    })),
  ),
);

describeSame(
  "a call in JSON that is not allowed, or too large",
  jsonProtocols.flatMap(({ protocol, contentType, wrap }) => {
    const headers = { "content-type": contentType };
    const body = wrap(Buffer.from('{"reset":true}'));
    const secrets = [{ name: "reader", secret: "r" }];
    const allowed = { ...headers, authorization: "Bearer r" };
    return [
      {
        what: `without a secret, by ${protocol}`,
        sent: { path: queryStats, headers, body },
        secrets,
        isHot: false,
      },
      {
        what: `who may not reset, by ${protocol}`,
        sent: { path: queryStats, headers: allowed, body },
        secrets,
        isHot: true,
      },
      {
        what: `too large, by ${protocol}`,
        sent: {
          path: queryStats,
          headers,
          body: wrap(Buffer.from(JSON.stringify({ pattern: "x".repeat(2_000) }))),
        },
        limits: { maxRequestBytes: 1_024 },
        isHot: false,
      },
    ];
  }),
);
