import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatRefusal,
  httpStatusOfClientError,
  toRefusal,
  toRefusalParts,
  type HttpRefusal,
} from "../../../src/proxy/http/http-refusal.js";
import type { RejectionCode } from "../../../src/proxy/rejection.js";

describe("formatRefusal", () => {
  const statusLines: readonly (readonly [status: HttpRefusal["status"], text: string])[] = [
    [400, "Bad Request"],
    [403, "Forbidden"],
    [501, "Not Implemented"],
    [407, "Proxy Authentication Required"],
    [408, "Request Timeout"],
    [431, "Request Header Fields Too Large"],
    [502, "Bad Gateway"],
    [504, "Gateway Timeout"],
  ];
  for (const [status, text] of statusLines) {
    it(`writes ${status} ${text} as a whole answer that ends the connection`, () => {
      const [head, body, ...rest] = formatRefusal({ status, reason: "no ü" }).split("\r\n\r\n");
      const [statusLine, ...headers] = (head ?? "").split("\r\n");
      assert.equal(statusLine, `HTTP/1.1 ${status} ${text}`);
      assert.equal(body, "no ü\n");
      assert.deepEqual(rest, []);
      assert.deepEqual(headers.slice(-3), [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Length: 6",
        "Connection: close",
      ]);
    });
  }

  const extras: readonly (readonly [status: HttpRefusal["status"], headers: readonly string[]])[] = [
    [407, ['Proxy-Authenticate: Basic realm="proxy", charset="UTF-8"']],
    [400, []],
    [403, []],
    [501, []],
    [502, []],
  ];
  for (const [status, headers] of extras) {
    it(`has ${headers.length === 0 ? "no further header" : headers.join()} in a ${status}`, () => {
      const [head = ""] = formatRefusal({ status, reason: "no" }).split("\r\n\r\n");
      assert.deepEqual(head.split("\r\n").slice(1, -3), headers);
    });
  }
});

describe("toRefusal", () => {
  const statuses: readonly (readonly [code: RejectionCode, status: number])[] = [
    ["blocked", 403],
    ["refused", 502],
    ["network-unreachable", 502],
    ["host-unreachable", 502],
    ["unresolved", 502],
    ["timeout", 504],
    ["aborted", 502],
    ["failed", 502],
  ];
  for (const [code, status] of statuses) {
    it(`answers ${code} with ${status} and the message`, () => {
      assert.deepEqual(toRefusal({ code, message: "no way" }), { status, reason: "no way" });
    });
  }
});

describe("toRefusalParts", () => {
  it("counts the length of the body in bytes", () => {
    assert.deepEqual(toRefusalParts({ status: 400, reason: "no ü" }), {
      headers: ["Content-Type", "text/plain; charset=utf-8", "Content-Length", "6"],
      body: "no ü\n",
    });
  });

  it("says how to log in where that is missing", () => {
    const { headers } = toRefusalParts({ status: 407, reason: "who?" });
    assert.deepEqual(headers.slice(0, 2), ["Proxy-Authenticate", 'Basic realm="proxy", charset="UTF-8"']);
  });

  it("does not say what becomes of the connection", () => {
    const { headers } = toRefusalParts({ status: 502, reason: "no" });
    assert.ok(!headers.includes("Connection"));
  });
});

describe("httpStatusOfClientError", () => {
  const statuses: readonly (readonly [code: string, status: number])[] = [
    ["HPE_HEADER_OVERFLOW", 431],
    ["ERR_HTTP_REQUEST_TIMEOUT", 408],
    ["HPE_INVALID_METHOD", 400],
    ["HPE_UNEXPECTED_CONTENT_LENGTH", 400],
    ["ECONNRESET", 400],
  ];
  for (const [code, status] of statuses) {
    it(`answers ${code} with ${status}`, () => {
      assert.equal(httpStatusOfClientError(Object.assign(new Error("no"), { code })), status);
    });
  }
});
