import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { requestFaultOf } from "../../../src/proxy/http/http-request-fault.js";

type Headers = readonly (readonly [name: string, value: string])[];

function requestWith(httpVersion: string, ...pairs: Headers): IncomingMessage {
  const headers = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  return { httpVersion, headers, rawHeaders: pairs.flat() } as unknown as IncomingMessage;
}

const host = ["Host", "a"] as const;

describe("requestFaultOf", () => {
  const right: readonly (readonly [title: string, version: string, headers: Headers])[] = [
    ["one Host", "1.1", [host]],
    ["an empty Host", "1.1", [["Host", ""]]],
    ["no Host in HTTP/1.0", "1.0", []],
    ["a Host in HTTP/1.0", "1.0", [host]],
    ["a length", "1.1", [host, ["Content-Length", "5"]]],
    ["a length in HTTP/1.0", "1.0", [["Content-Length", "5"]]],
    ["chunks", "1.1", [host, ["Transfer-Encoding", "chunked"]]],
    ["chunks in capitals", "1.1", [host, ["TRANSFER-ENCODING", "CHUNKED"]]],
    ["headers that only look like it", "1.1", [host, ["X-Host", "b"], ["Transfer_Encoding", "gzip"]]],
  ];
  for (const [title, version, headers] of right) {
    it(`finds nothing wrong with ${title}`, () => {
      assert.equal(requestFaultOf(requestWith(version, ...headers)), undefined);
    });
  }

  const wrong: readonly (readonly [title: string, status: number, version: string, headers: Headers])[] = [
    ["no Host", 400, "1.1", []],
    ["two Hosts", 400, "1.1", [host, ["Host", "b"]]],
    ["twice the same Host", 400, "1.1", [host, ["hOST", "a"]]],
    ["two Hosts in HTTP/1.0", 400, "1.0", [host, host]],
    ["chunks in HTTP/1.0", 400, "1.0", [host, ["Transfer-Encoding", "chunked"]]],
    ["chunks in HTTP/0.9", 400, "0.9", [host, ["Transfer-Encoding", "chunked"]]],
    ["a coding in HTTP/1.0", 400, "1.0", [host, ["Transfer-Encoding", "identity"]]],
    ["another coding", 501, "1.1", [host, ["Transfer-Encoding", "gzip"]]],
    ["another coding and chunks", 501, "1.1", [host, ["Transfer-Encoding", "gzip, chunked"]]],
    ["chunks twice", 501, "1.1", [host, ["Transfer-Encoding", "chunked, chunked"]]],
    ["chunks and another coding", 501, "1.1", [host, ["Transfer-Encoding", "chunked, identity"]]],
    ["no coding in particular", 501, "1.1", [host, ["Transfer-Encoding", ""]]],
    ["a coding that begins so", 501, "1.1", [host, ["Transfer-Encoding", "chunkedx"]]],
    ["a coding that ends so", 501, "1.1", [host, ["Transfer-Encoding", "xchunked"]]],
    ["chunks between blanks of another kind", 501, "1.1", [host, ["Transfer-Encoding", "chunked\u00a0"]]],
    ["chunks with a parameter", 501, "1.1", [host, ["Transfer-Encoding", "chunked;q=1"]]],
  ];
  for (const [title, status, version, headers] of wrong) {
    it(`answers ${title} with ${status}`, () => {
      assert.equal(requestFaultOf(requestWith(version, ...headers))?.status, status);
    });
  }

  it("names the coding", () => {
    const fault = requestFaultOf(requestWith("1.1", host, ["Transfer-Encoding", 'g"\u001b']));
    assert.equal(fault?.reason, 'transfer coding "g\\"\\u001b", of which only chunked is supported');
  });
});
