import fc from "fast-check";
import { oneOf } from "./byte-text.js";
import type { HeaderField } from "./strict-http.js";

/** A plain request to a proxy, in parts. */
export interface ModelRequest {
  readonly method: string;
  readonly host: string;
  /** Empty, or from its slash on. */
  readonly path: string;
  /** Empty, or from its question mark on. */
  readonly query: string;
  /** That are for the origin. */
  readonly headers: readonly HeaderField[];
  /** That are for the proxy: named in `Connection`, or hop by hop by their nature. */
  readonly hopHeaders: readonly HeaderField[];
  readonly named: readonly HeaderField[];
  /** In pieces; in chunks, or with its length. None: the request has no body. */
  readonly body?: readonly string[];
  readonly isChunked: boolean;
}

/** The hosts that the requests are for. */
export const originHosts = ["a.test", "b.test:8080", "192.0.2.1"] as const;

const headerValue = fc
  .string({ unit: oneOf('abc019 \t,;:="\u0080\u00e9\u00ff/()'), maxLength: 20 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
const header = fc.tuple(
  fc.constantFrom("X-A", "x-b", "Accept", "Cookie", "X-Content-Length", "Via"),
  headerValue,
);
const namedHeader = fc.tuple(fc.constantFrom("X-Hop", "x-secret", "X-Hop-2"), headerValue);
const hopHeader: fc.Arbitrary<HeaderField> = fc.constantFrom<HeaderField[]>(
  ["Proxy-Connection", "keep-alive"],
  ["Proxy-Connection", "X-Hop"],
  ["Proxy-Authorization", "Basic YTpi"],
  ["Keep-Alive", "timeout=5"],
  ["TE", "trailers"],
  ["Trailer", "X-Sum"],
  ["Upgrade", "h2c"],
  ["Proxy-Authenticate", "Basic"],
);
const piece = fc.string({
  unit: fc.oneof(
    oneOf("\r\n0 GETHP/1."),
    fc.nat(255).map((code) => String.fromCharCode(code)),
  ),
  minLength: 1,
  maxLength: 40,
});

/** A request that is right in every way. */
export const modelRequest: fc.Arbitrary<ModelRequest> = fc.record(
  {
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"),
    host: fc.constantFrom(...originHosts),
    path: fc.oneof(
      fc.constantFrom("", "/", "/chunked", "/close", "/a//b/../c", "//a.test/", "/%00", "/a:80@b"),
      fc.stringMatching(/^\/[\w.~!$&'()*+,;=:@%/-]{0,20}$/),
    ),
    query: fc.oneof(fc.constant(""), fc.stringMatching(/^\?[\w.~!$&'()*+,;=:@%/?-]{0,10}$/)),
    headers: fc.array(header, { maxLength: 5 }),
    hopHeaders: fc.array(hopHeader, { maxLength: 3 }),
    named: fc.array(namedHeader, { maxLength: 3 }),
    body: fc.array(piece, { maxLength: 4 }),
    isChunked: fc.boolean(),
  },
  { requiredKeys: ["method", "host", "path", "query", "headers", "hopHeaders", "named", "isChunked"] },
);

/** Writes the request as a client of a proxy does. */
export function writeRequest(request: ModelRequest, { isLast = false } = {}): string {
  const { method, host, path, query, headers, hopHeaders, named, body, isChunked } = request;
  const connection = [...named.map(([name]) => name.toUpperCase()), ...(isLast ? ["close"] : [])].join(", ");
  const fields: readonly HeaderField[] = [
    ["Host", "elsewhere.test"],
    ...(connection === "" ? [] : [["Connection", connection] as const]),
    ...hopHeaders,
    ...headers,
    ...named,
    ...framing(body, isChunked),
  ];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} http://${host}${path}${query} HTTP/1.1\r\n${lines}\r\n${framed(body, isChunked)}`;
}

/** What the origin must be asked for. */
export function expectedTarget({ method, path, query }: ModelRequest): string {
  if (method === "OPTIONS" && path === "" && query === "") return "*";
  return `${path === "" ? "/" : path}${query}`;
}

function framing(body: readonly string[] | undefined, isChunked: boolean): readonly HeaderField[] {
  if (body === undefined) return [];
  if (isChunked) return [["Transfer-Encoding", "chunked"]];
  return [["Content-Length", String(body.join("").length)]];
}

function framed(body: readonly string[] | undefined, isChunked: boolean): string {
  if (body === undefined) return "";
  if (!isChunked) return body.join("");
  return [...body, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
}
