import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import type { DialErrorCode } from "../../src/net/dial-error.js";
import {
  connectionEstablished,
  formatRefusal,
  httpStatusOf,
  httpStatusOfClientError,
  parseConnectTarget,
  parseProxyAuthorization,
  type HttpRefusal,
} from "../../src/proxy/http-proxy.js";

describe("parseConnectTarget", () => {
  const good: readonly (readonly [target: string, host: string, port: number])[] = [
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["[::1]:443", "::1", 443],
    ["[2001:db8::1]:65535", "2001:db8::1", 65_535],
    ["example.com:443", "example.com", 443],
    ["EXAMPLE.com:1", "EXAMPLE.com", 1],
    ["example.com.:00080", "example.com.", 80],
    ["bücher.example:80", "bücher.example", 80],
  ];
  for (const [target, host, port] of good) {
    it(`reads ${target}`, () => {
      assert.deepEqual(parseConnectTarget(target), { host, port });
    });
  }

  const bad: readonly string[] = [
    "",
    ":",
    ":80",
    "/",
    "*",
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:00000",
    "example.com:65536",
    "example.com:99999",
    "example.com:000080",
    "example.com:-1",
    "example.com:+80",
    "example.com:80a",
    "example.com:8e1",
    "example.com:80/",
    "example.com:80/path",
    "example.com:80:80",
    "user@example.com:80",
    "user:secret@example.com:80",
    "http://example.com:80",
    "http://example.com/",
    "//example.com:80",
    "::1:80",
    "[]:80",
    "[::1]",
    "[::1]:",
    "[::1]:0",
    "[::1]80",
    "[127.0.0.1]:80",
    "[example.com]:80",
    "[::1:80",
    "[::g]:80",
    "exa mple.com:80",
    " example.com:80",
    "example.com :80",
    "example.com: 80",
    "example.com:80 ",
    "example.com:80\n",
    "example.com\t:80",
    "example.com:٨٠",
  ];
  for (const target of bad) {
    it(`refuses ${JSON.stringify(target)}`, () => {
      assert.equal(parseConnectTarget(target), undefined);
    });
  }
});

describe("parseProxyAuthorization", () => {
  const requestWith = (value: string | undefined) =>
    ({ headers: value === undefined ? {} : { "proxy-authorization": value } }) as unknown as IncomingMessage;
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  const good: readonly (readonly [value: string, username: string, password: string])[] = [
    [`Basic ${base64("alice:secret")}`, "alice", "secret"],
    [`basic ${base64("alice:secret")}`, "alice", "secret"],
    [`BASIC    ${base64("alice:secret")}`, "alice", "secret"],
    [`Basic ${base64("alice:a:b::")}`, "alice", "a:b::"],
    [`Basic ${base64("zoë:пароль🔑")}`, "zoë", "пароль🔑"],
    [`Basic ${base64("alice:")}`, "alice", ""],
    [`Basic ${base64(":secret")}`, "", "secret"],
    [`Basic ${base64(":")}`, "", ""],
    // One, two and no bytes of padding; with and without it; in the URL's alphabet, too.
    [`Basic ${base64("a:b")}`, "a", "b"],
    [`Basic ${base64("a:bc")}`, "a", "bc"],
    [`Basic ${base64("a:bcd")}`, "a", "bcd"],
    ["Basic YTpi", "a", "b"],
    ["Basic YTpiYw", "a", "bc"],
    ["Basic YTpiY2Q", "a", "bcd"],
    [`Basic ${Buffer.from("a:??>>").toString("base64url")}`, "a", "??>>"],
  ];
  for (const [value, username, password] of good) {
    it(`reads ${JSON.stringify(value)}`, () => {
      assert.deepEqual(parseProxyAuthorization(requestWith(value)), { username, password });
    });
  }

  const bad: readonly (readonly [title: string, value: string | undefined])[] = [
    ["no header", undefined],
    ["an empty header", ""],
    ["a scheme alone", "Basic"],
    ["a scheme and a blank", "Basic "],
    ["no colon", `Basic ${base64("alice")}`],
    ["another scheme", `Bearer ${base64("alice:secret")}`],
    ["a digest", 'Digest username="alice"'],
    ["a scheme that only begins like it", `Basics ${base64("alice:secret")}`],
    ["a login that is not encoded", "Basic alice:secret"],
    ["no blank", `Basic${base64("alice:secret")}`],
    ["more than one word", `Basic ${base64("alice:secret")} x`],
    ["a second login", `Basic ${base64("alice:secret")}, Basic ${base64("bob:secret")}`],
    ["the encoded word alone", base64("alice:secret")],
  ];
  for (const [title, value] of bad) {
    it(`reads nothing from ${title}`, () => {
      assert.equal(parseProxyAuthorization(requestWith(value)), undefined);
    });
  }
});

describe("formatRefusal", () => {
  const statusLines: readonly (readonly [status: HttpRefusal["status"], text: string])[] = [
    [400, "Bad Request"],
    [403, "Forbidden"],
    [405, "Method Not Allowed"],
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
    [405, ["Allow: CONNECT"]],
    [400, []],
    [502, []],
  ];
  for (const [status, headers] of extras) {
    it(`has ${headers.length === 0 ? "no further header" : headers.join()} in a ${status}`, () => {
      const [head = ""] = formatRefusal({ status, reason: "no" }).split("\r\n\r\n");
      assert.deepEqual(head.split("\r\n").slice(1, -3), headers);
    });
  }
});

describe("httpStatusOf", () => {
  const statuses: readonly (readonly [code: DialErrorCode, status: number])[] = [
    ["refused", 502],
    ["network-unreachable", 502],
    ["host-unreachable", 502],
    ["unresolved", 502],
    ["timeout", 504],
    ["aborted", 502],
    ["failed", 502],
  ];
  for (const [code, status] of statuses) {
    it(`answers ${code} with ${status}`, () => {
      assert.equal(httpStatusOf(code), status);
    });
  }
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

describe("connectionEstablished", () => {
  it("is a 200 without a body, behind which the connection's bytes follow", () => {
    assert.equal(connectionEstablished, "HTTP/1.1 200 Connection established\r\n\r\n");
  });
});
