import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatEndpoint } from "../../src/net/endpoint.js";
import { parseAbsoluteTarget, parseConnectTarget } from "../../src/proxy/http/http-target.js";
import { anyBytes, mutated } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const host = fc.oneof(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,20}(\.[a-zA-Z][a-zA-Z0-9-]{0,10}){0,3}$/),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const port = fc.oneof(
  fc.constantFrom("", ":", ":80", ":0", ":65535", ":65536", ":080"),
  fc.nat(70_000).map((number) => `:${number}`),
);
const path = fc.oneof(fc.constantFrom("", "/"), fc.stringMatching(/^\/[\w.~!$&'()*+,;=:@%/?-]{0,30}$/));
const scheme = fc.constantFrom("http://", "HTTP://", "https://", "ftp://", "http:/", "//", "");
const userInfo = fc.constantFrom("", "", "", "alice@", "alice:secret@", "a.test:80@", "\\@");
const url = fc.tuple(scheme, userInfo, host, port, path).map((parts) => parts.join(""));
const text = fc.oneof(
  { arbitrary: anyBytes(60), weight: 1 },
  { arbitrary: mutated(url), weight: 4 },
  {
    arbitrary: fc.string({ unit: "binary", maxLength: 30 }).map((behind) => `http://a.test/${behind}`),
    weight: 1,
  },
);
const method = fc.constantFrom("GET", "OPTIONS", "POST");

/** The host and port that a URL names, as browsers understand it; `undefined` if it is none to them. */
function authorityOf(absolute: string): readonly [host: string, port: string] | undefined {
  if (!URL.canParse(absolute)) return undefined;
  const { hostname, port: explicit } = new URL(absolute);
  return [hostname, explicit === "" ? "80" : explicit];
}

/** What the URL parser drops from a text before it looks at it, or reads as a slash. */
const readDifferently = /[\\\t\r\n]|^[\0- ]|[\0- ]$/;

describe("parseAbsoluteTarget", () => {
  it("agrees with the URL parser about the host and port of whatever it accepts", fuzzLimits, async () => {
    await fuzz({
      name: "target-absolute",
      inputs: fc.record({ text, method }),
      holds: ({ text: given, method: asked }) => {
        const { target, reason } = parseAbsoluteTarget(given, asked);
        assert.equal(target === undefined, typeof reason === "string" && reason !== "");
        const accepted = target === undefined ? [] : [target];
        for (const { origin, host: hostHeader, path: originForm } of accepted) {
          assert.ok(origin.port >= 1 && origin.port <= 65_535);
          assert.match(hostHeader, /^[\x21-\x7e]+$/);
          assert.match(originForm, /^(\/.*|\*)$/s);
          const meant = authorityOf(given);
          const rebuilt = authorityOf(`http://${formatEndpoint(origin)}/`);
          const isComparable = meant !== undefined && rebuilt !== undefined && !readDifferently.test(given);
          assert.deepEqual(isComparable ? rebuilt : meant, meant);
        }
      },
    });
  });

  it("gives the origin a path without blanks and controls", fuzzLimits, async () => {
    await fuzz({
      name: "target-path",
      inputs: fc.record({ text, method }),
      holds: ({ text: given, method: asked }) => {
        // Beyond ASCII they may be bytes of UTF-8, which clients send as they are.
        assert.doesNotMatch(parseAbsoluteTarget(given, asked).target?.path ?? "", /[\0-\x20\x7f]/);
      },
    });
  });

  it("reads what a client means", fuzzLimits, async () => {
    await fuzz({
      name: "target-model",
      inputs: fc.record({
        host,
        port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
        path,
        scheme: fc.constantFrom("http", "HTTP", "hTTp"),
      }),
      holds: ({ host: named, port: number, path: asked, scheme: written }) => {
        const authority = number === undefined ? named : `${named}:${number}`;
        assert.deepEqual(parseAbsoluteTarget(`${written}://${authority}${asked}`, "GET"), {
          target: {
            origin: { host: named.replace(/^\[(.*)\]$/, "$1"), port: number ?? 80 },
            host: authority,
            path: asked === "" ? "/" : asked,
          },
        });
      },
    });
  });
});

describe("parseConnectTarget", () => {
  it("agrees with the URL parser about the host and port of whatever it accepts", fuzzLimits, async () => {
    const authority = fc.tuple(userInfo, host, port).map((parts) => parts.join(""));
    await fuzz({
      name: "target-connect",
      inputs: fc.oneof({ arbitrary: anyBytes(40), weight: 1 }, { arbitrary: mutated(authority), weight: 4 }),
      holds: (given) => {
        const { target, reason } = parseConnectTarget(given);
        assert.equal(target === undefined, typeof reason === "string" && reason !== "");
        const accepted = target === undefined ? [] : [target];
        for (const endpoint of accepted) {
          assert.ok(endpoint.port >= 1 && endpoint.port <= 65_535);
          assert.match(endpoint.host, /^[^\s\p{Cc}]+$/u);
          const meant = authorityOf(`http://${given}/`);
          const rebuilt = authorityOf(`http://${formatEndpoint(endpoint)}/`);
          const isComparable = meant !== undefined && !readDifferently.test(given);
          assert.deepEqual(isComparable ? rebuilt : meant, meant);
        }
      },
    });
  });
});
