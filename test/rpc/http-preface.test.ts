import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHttpVersion } from "../../src/rpc/http-preface.js";
import { http2Preface } from "../helpers/raw-http.js";
import { createRandom } from "../helpers/random.js";

const more = { kind: "more" };
const http1 = { kind: "done", value: "http1", length: 0 };
const http2 = { kind: "done", value: "http2", length: 0 };
const bad = { kind: "bad", reason: "a first line of neither HTTP/1.1 nor HTTP/2" };

describe("parseHttpVersion()", () => {
  it("asks for more as long as the bytes are the beginning of HTTP/2's preface", () => {
    assert.equal(http2Preface.length, 24);
    for (let length = 0; length < http2Preface.length; length++) {
      assert.deepEqual(parseHttpVersion(Buffer.from(http2Preface.slice(0, length))), more);
    }
  });

  it("knows HTTP/2 by its whole preface, and takes none of it", () => {
    assert.deepEqual(parseHttpVersion(Buffer.from(http2Preface)), http2);
    assert.deepEqual(parseHttpVersion(Buffer.from(`${http2Preface}\0\0\0`)), http2);
  });

  const firstLine = "PRI * HTTP/2.0\r\n";

  it("knows HTTP/1.1 by the first byte that differs, wherever it is in the first line", () => {
    for (let length = 0; length < firstLine.length; length++) {
      const bytes = Buffer.from(`${firstLine.slice(0, length)}\x01`);
      assert.deepEqual(parseHttpVersion(bytes), http1);
      assert.deepEqual(parseHttpVersion(Buffer.concat([bytes, Buffer.from("more")])), http1);
    }
  });

  it("takes a preface for bad whose first byte that differs is behind its first line", () => {
    for (let length = firstLine.length; length < http2Preface.length; length++) {
      const bytes = Buffer.from(`${http2Preface.slice(0, length)}\x01`);
      assert.deepEqual(parseHttpVersion(bytes), bad);
    }
  });

  for (const text of [
    "INVALID CONNECTION PREFACE\r\n\r\n",
    "PRI * HTTP/2\r\n\r\n",
    "pri * http/1.1\r\n\r\n",
    "GET /\r\n",
    "GET /HTTP/1.1\n",
    "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "EHLO localhost\n",
    "\x16\x03\x01\n",
  ]) {
    it(`takes ${JSON.stringify(text)} for bad`, () => {
      assert.deepEqual(parseHttpVersion(Buffer.from(text)), bad);
    });
  }

  for (const text of [
    "G",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.0\n",
    "GET / HTTP/1.1 \r\n",
    "BREW /?a b HTTP/1.1\r\nHost: localhost\r\n",
    "\r\nGET /",
    "\n\nGET / HTTP/1.1\r\n",
    "PO",
    "POST /",
    "PROPFIND /",
    "PUT",
    "PRI * HTTP/1.1\r\n",
    "pri",
    "\x16\x03",
  ]) {
    it(`leaves ${JSON.stringify(text)} to HTTP/1.1`, () => {
      assert.deepEqual(parseHttpVersion(Buffer.from(text)), http1);
    });
  }

  it("decides about random bytes without a throw", () => {
    const random = createRandom(3);
    for (let round = 0; round < 1_000; round++) {
      const prefix = http2Preface.slice(0, random.below(25));
      const bytes = Buffer.concat([Buffer.from(prefix), random.bytes(random.below(30))]);
      const isPreface = bytes.length >= 24 && bytes.subarray(0, 24).equals(Buffer.from(http2Preface));
      const isBeginning = Buffer.from(http2Preface).subarray(0, bytes.length).equals(bytes);
      const decided = /^[^\n]*\S[^\n]*\n/.test(bytes.toString("latin1")) ? bad : http1;
      assert.deepEqual(parseHttpVersion(bytes), isPreface ? http2 : isBeginning ? more : decided);
    }
  });
});
