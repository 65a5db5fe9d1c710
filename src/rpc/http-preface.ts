import type { ParseResult } from "../net/byte-reader.js";

export type HttpVersion = "http1" | "http2";

/** What every HTTP/2 client with prior knowledge sends first (RFC 9113 §3.4); no HTTP/1.1 request begins so. */
const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection, and takes none of them. `P` and `PR` begin other
 * requests too; the first byte that differs decides.
 */
export function parseHttpVersion(bytes: Buffer): ParseResult<HttpVersion> {
  const length = Math.min(bytes.length, http2Preface.length);
  const isPrefix = bytes.subarray(0, length).equals(http2Preface.subarray(0, length));
  if (!isPrefix) return { kind: "done", value: "http1", length: 0 };
  return length < http2Preface.length ? { kind: "more" } : { kind: "done", value: "http2", length: 0 };
}
