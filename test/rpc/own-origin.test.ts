import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOriginJudge } from "../../src/rpc/own-origin.js";

describe("a Host", () => {
  const judge = createOriginJudge({ listenHost: "Panel.Internal" });

  for (const authority of [
    "127.0.0.1",
    "127.0.0.1:8080",
    "0.0.0.0:1",
    "203.0.113.7:80",
    "[::1]",
    "[::1]:8080",
    "[2001:db8::1]",
    "localhost",
    "LOCALHOST",
    "LocalHost:65535",
    "panel.internal",
    "PANEL.internal:8080",
    // Other spellings of an address need no DNS either.
    "0x7f.1",
    "2130706433",
  ]) {
    it(`${authority} is own`, () => {
      assert.deepEqual(judge({ scheme: "http", authority, origin: undefined }), { kind: "own" });
    });
  }

  for (const authority of [
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "localhost.evil.example",
    "localhost.",
    "panel.internal.evil.example",
    "xn--e1afmkfd.example",
  ]) {
    it(`${authority} is foreign`, () => {
      const verdict = judge({ scheme: "http", authority, origin: undefined });
      assert.deepEqual(verdict, {
        kind: "foreign",
        what: "host",
        reason: `host ${JSON.stringify(authority)} is not served here: use an IP address, localhost or the name in "listen"`,
      });
    });
  }

  it("that is own is no help to a page of another origin that embeds what is here", () => {
    const ask = (origin?: string) =>
      judge({ scheme: "http", authority: "127.0.0.1", origin, isEmbedded: true, mayNameAnyHost: true }).kind;
    assert.equal(ask(), "foreign");
    assert.equal(ask("http://evil.example"), "foreign");
    // A page of our own origin says whose it is as well as one that is allowed.
    assert.equal(ask("http://127.0.0.1"), "own");
  });

  it("may be any where the caller has a secret, but has to be one", () => {
    const ask = (authority: string, origin?: string) =>
      judge({ scheme: "http", authority, origin, mayNameAnyHost: true }).kind;
    assert.equal(ask("api.example:8080"), "own");
    assert.equal(ask("api.example", "http://api.example"), "own");
    assert.equal(ask("api.example", "http://evil.example"), "foreign");
    assert.equal(ask("x:99999"), "malformed");
  });

  it("of a Unix socket is one that needs no DNS", () => {
    const ask = createOriginJudge({ listenHost: undefined });
    const judged = (authority: string) => ask({ scheme: "http", authority, origin: undefined }).kind;
    for (const authority of ["localhost", "127.0.0.1"]) assert.equal(judged(authority), "own");
    for (const authority of ["undefined", "evil.example"]) assert.equal(judged(authority), "foreign");
  });

  for (const authority of [
    undefined,
    "",
    "[",
    "[::1",
    "::1",
    "x:99999",
    "127.0.0.1:99999",
    "127.0.0.1:x",
    ":80",
    "127.0.0.1 evil.example",
    "user@127.0.0.1",
    "user:password@127.0.0.1",
    "evil.example@127.0.0.1",
    "127.0.0.1/path",
    "127.0.0.1?query",
    "127.0.0.1#fragment",
    "127.0.0.1\\path",
    "127.0.0.1\t",
    "127.0.0.256",
    "%",
  ]) {
    it(`${JSON.stringify(authority ?? null)} is malformed`, () => {
      assert.deepEqual(judge({ scheme: "http", authority, origin: undefined }), {
        kind: "malformed",
        reason: `malformed host ${JSON.stringify(authority ?? "")}`,
      });
    });
  }

  it("is judged before the Origin", () => {
    const own = { scheme: "http", authority: "evil.example", origin: "http://evil.example" } as const;
    assert.equal(judge(own).kind, "foreign");
    assert.equal(judge({ ...own, authority: "[", origin: "http://[" }).kind, "malformed");
  });

  it("of an unnamed listener is own only as an address or localhost", () => {
    const unnamed = createOriginJudge({ listenHost: "" });
    assert.equal(unnamed({ scheme: "http", authority: "127.0.0.1", origin: undefined }).kind, "own");
    assert.equal(unnamed({ scheme: "http", authority: "panel.internal", origin: undefined }).kind, "foreign");
  });
});

describe("an Origin", () => {
  const allowed = "https://panel.example";
  const judge = createOriginJudge({ listenHost: "127.0.0.1", allowedOrigins: [allowed, "null"] });
  const strictJudge = createOriginJudge({ listenHost: "127.0.0.1" });
  const authority = "127.0.0.1:8080";

  for (const { scheme, host = authority, origin } of [
    { scheme: "http", origin: undefined },
    { scheme: "http", origin: "http://127.0.0.1:8080" },
    { scheme: "https", origin: "https://127.0.0.1:8080" },
    { scheme: "http", host: "LOCALHOST:80", origin: "http://localhost" },
    { scheme: "https", host: "[::1]:443", origin: "https://[::1]" },
  ] as const) {
    it(`${String(origin)} is own at ${scheme}://${host}`, () => {
      assert.deepEqual(strictJudge({ scheme, authority: host, origin }), { kind: "own" });
    });
  }

  for (const origin of [
    "",
    "null",
    "http://127.0.0.1",
    "http://127.0.0.1:8081",
    "https://127.0.0.1:8080",
    "http://localhost:8080",
    "http://127.0.0.1:8080/",
    "http://127.0.0.1:8080, http://127.0.0.1:8080",
    "http://evil.example",
    allowed,
  ]) {
    it(`${JSON.stringify(origin)} is foreign at http://${authority} unless it is allowed`, () => {
      assert.deepEqual(strictJudge({ scheme: "http", authority, origin }), {
        kind: "foreign",
        what: "origin",
        reason: `origin ${JSON.stringify(origin)} is not in "access_control_allow_origin"`,
      });
    });
  }

  for (const origin of [allowed, "null"]) {
    it(`${origin} is allowed if it is listed`, () => {
      assert.deepEqual(judge({ scheme: "http", authority, origin }), { kind: "allowed", origin });
    });
  }

  for (const origin of [
    "http://panel.example",
    "https://panel.example:8443",
    "https://PANEL.example",
    "https://sub.panel.example",
    "https://panel.example.evil.example",
  ]) {
    it(`${origin} is not the listed one`, () => {
      assert.equal(judge({ scheme: "http", authority, origin }).kind, "foreign");
    });
  }
});
