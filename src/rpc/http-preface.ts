import type { ParseResult } from "../net/byte-reader.js";

export type HttpVersion = "http1" | "http2";

/** What every HTTP/2 client with prior knowledge sends first (RFC 9113 §3.4); no HTTP/1.1 request begins so. */
const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection, and takes none of them. `P` and `PR` begin other
 * requests too; the first byte that differs decides.
 *
 * A first line that came whole and is not HTTP/1's is bad: whoever sends a broken preface is to see its connection end
 * (RFC 9113 §3.4), and could not read an answer in HTTP/1.1. Nobody waits for that line, since the parser of HTTP/1.1 ends
 * such a connection too.
 */
export function parseHttpVersion(bytes: Buffer): ParseResult<HttpVersion> {
  const length = Math.min(bytes.length, http2Preface.length);
  const isPrefix = bytes.subarray(0, length).equals(http2Preface.subarray(0, length));
  if (isPrefix && length < http2Preface.length) return { kind: "more" };
  if (isPrefix) return { kind: "done", value: "http2", length: 0 };
  if (isForeign(bytes)) return { kind: "bad", reason: "a first line of neither HTTP/1.1 nor HTTP/2" };
  return { kind: "done", value: "http1", length: 0 };
}

/** Empty lines may stand before a request (RFC 9112 §2.2). */
function isForeign(bytes: Buffer): boolean {
  const line = bytes.toString("latin1", 0, Math.max(0, bytes.indexOf("\n"))).trimEnd();
  return line !== "" && !/ HTTP\/1\.\d$/.test(line);
}
