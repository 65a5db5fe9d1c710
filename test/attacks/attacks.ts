import { gzipSync } from "node:zlib";
import { paths } from "../helpers/api-server.js";
import { envelope } from "../helpers/grpc.js";
import {
  cancelled,
  cancelledBriefly,
  frames,
  preface,
  repeated,
  requestBlock,
} from "../helpers/http2-frames.js";
import { http1Text, http2Frame, http2Preface, sendHttp1, sendHttp2 } from "../helpers/raw-http.js";
import type { Attacker } from "./attacker.js";

/** Something that somebody does to a server until they are stopped. */
export interface Attack {
  readonly name: string;
  readonly carryOut: (attacker: Attacker) => Promise<void>;
}

const json = { "content-type": "application/json" };
const query = (request: object) => ({ path: paths.queryStats, headers: json, body: JSON.stringify(request) });
const bomb = gzipSync(Buffer.alloc(60 * 2 ** 20), { level: 9 });

/** Each of them costs what the limits let it cost, or is refused for it. */
const costlyPatterns = [
  "(a?){500}a{500}",
  "^(.?){990}[QZ]",
  "(.?){500}[QZ]",
  "(\\b.?){600}[QZ]",
  "(?:\\B?.?\\b?){450}[QZ]",
  `(?:${"\\pL?\\PL?".repeat(25)})[QZ]`,
  `(?i)${"[a-\\x{10ffff}]".repeat(250)}`,
  `(?:${"[^a]".repeat(1_000)}){1000}`,
  "((((a*)*)*)*)*$",
];

/** Many frames of a kind, and with them the first that they need. */
function floodOf(frame: Buffer): () => () => Uint8Array {
  const many = repeated(frame, 1_000);
  return () => () => many;
}

/** The attacks that there are. */
export const attacks: readonly Attack[] = [
  {
    name: "slowloris on heads",
    carryOut: async (attacker) => {
      const sockets = await attacker.openMany(
        attacker.scaled(1_000),
        "POST / HTTP/1.1\r\nHost: localhost\r\n",
      );
      await attacker.drip(sockets, "x-a: b\r\n");
    },
  },
  {
    name: "slowloris on bodies",
    carryOut: async (attacker) => {
      const headers = { ...json, "content-length": "60000" };
      const head = http1Text({ path: paths.queryStats, headers });
      await attacker.drip(await attacker.openMany(attacker.scaled(1_000), head), " ");
    },
  },
  {
    name: "half-open prefaces",
    carryOut: async (attacker) => {
      await attacker.openMany(attacker.scaled(2_000), http2Preface.slice(0, 12));
      await attacker.ended();
    },
  },
  {
    name: "rapid reset",
    carryOut: async (attacker) =>
      attacker.flood(preface, () => {
        let firstId = 1;
        return () => {
          firstId += 1_000;
          return cancelled(500, firstId - 1_000);
        };
      }),
  },
  {
    name: "rapid reset, brief heads",
    carryOut: async (attacker) => {
      // Its requests come when there is a session, thousands in one read.
      const flood = async (): Promise<void> =>
        attacker.flood(
          preface,
          () => {
            let firstId = 1;
            return () => {
              firstId += 4_000;
              return cancelledBriefly(2_000, firstId - 4_000);
            };
          },
          { waits: true },
        );
      await Promise.all(Array.from({ length: attacker.scaled(8) }, flood));
    },
  },
  {
    name: "CONTINUATION flood",
    carryOut: async (attacker) => {
      const opening = http2Frame(0x1, 0, 1, requestBlock.subarray(0, 20));
      await attacker.flood(
        Buffer.concat([preface, opening]),
        floodOf(http2Frame(0x9, 0, 1, Buffer.from([0]))),
      );
    },
  },
  { name: "SETTINGS flood", carryOut: async (attacker) => attacker.flood(preface, floodOf(frames.settings)) },
  { name: "PING flood", carryOut: async (attacker) => attacker.flood(preface, floodOf(frames.ping)) },
  {
    name: "PINGs, answers unread",
    carryOut: async (attacker) => attacker.flood(preface, floodOf(frames.ping), { reads: false }),
  },
  {
    name: "WINDOW_UPDATE flood",
    carryOut: async (attacker) => attacker.flood(preface, floodOf(frames.window)),
  },
  {
    name: "gzip bomb",
    carryOut: async (attacker) => {
      const connect = { headers: { ...json, "content-encoding": "gzip" }, body: bomb };
      const grpc = {
        headers: { "content-type": "application/grpc", "grpc-encoding": "gzip" },
        body: envelope(bomb, 1),
      };
      await attacker.repeat(8, async () => {
        await sendHttp1(attacker.port, { path: paths.queryStats, ...connect });
        await sendHttp2(attacker.port, { path: paths.queryStats, ...grpc });
      });
    },
  },
  {
    name: "a regexp of 1 MB",
    carryOut: async (attacker) => {
      const request = query({ patterns: ["(a?)".repeat(250_000)], regexp: true });
      await attacker.repeat(8, async () => sendHttp1(attacker.port, request));
    },
  },
  {
    name: "costly regexps",
    carryOut: async (attacker) => {
      let count = 0;
      await attacker.repeat(8, async () => {
        const pattern = costlyPatterns[count++ % costlyPatterns.length] ?? "";
        return sendHttp2(attacker.port, query({ patterns: [pattern], regexp: true }));
      });
    },
  },
  {
    name: "100,000 patterns",
    carryOut: async (attacker) => {
      const large = query({ patterns: Array.from({ length: 100_000 }, () => "x") });
      const small = query({ patterns: Array.from({ length: 1_000 }, (_, index) => `nobody-${index}`) });
      await attacker.repeat(8, async () => {
        await sendHttp2(attacker.port, large);
        await sendHttp1(attacker.port, small);
      });
    },
  },
  {
    name: "5 MB answers, unread",
    carryOut: async (attacker) => {
      const headers = { "content-type": "application/proto" };
      const request = http1Text({ path: paths.queryStats, headers });
      await attacker.openMany(attacker.scaled(50), request, false);
      await attacker.ended();
    },
  },
];
