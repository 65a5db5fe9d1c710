import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { formatBasicLogin, logIn, parseBasicLogin } from "../../../src/proxy/http/http-login.js";
import { Users } from "../../../src/proxy/users.js";

describe("formatBasicLogin", () => {
  const logins: readonly (readonly [username: string, password: string, value: string])[] = [
    ["Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
    ["test", "123£", "Basic dGVzdDoxMjPCow=="],
    ["alice", "", "Basic YWxpY2U6"],
    ["alice", "a:b::", "Basic YWxpY2U6YTpiOjo="],
  ];
  for (const [username, password, value] of logins) {
    it(`writes ${username} and ${JSON.stringify(password)} as RFC 7617 does, and parseBasicLogin reads it`, () => {
      assert.equal(formatBasicLogin({ username, password }), value);
      assert.deepEqual(parseBasicLogin(value), { username, password });
    });
  }

  it("writes one word, however long", () => {
    assert.match(formatBasicLogin({ username: "a".repeat(500), password: "b".repeat(5_000) }), /^Basic \S+$/);
  });
});

describe("parseBasicLogin", () => {
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
      assert.deepEqual(parseBasicLogin(value), { username, password });
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
      assert.equal(parseBasicLogin(value), undefined);
    });
  }
});

describe("logIn", () => {
  const users = new Users([{ username: "zoë", password: "a:b" }]);
  const requestWith = (value?: string) =>
    ({ headers: value === undefined ? {} : { "proxy-authorization": value } }) as unknown as IncomingMessage;
  const basic = (login: string) => requestWith(`Basic ${Buffer.from(login).toString("base64")}`);
  const refusal = { status: 407, reason: "a username and its password are required" };

  it("names who has logged in", () => {
    assert.deepEqual(logIn(basic("zoë:a:b"), users), { user: "zoë" });
  });

  const refused: readonly (readonly [title: string, request: IncomingMessage, isWrong: boolean])[] = [
    ["no login", requestWith(), false],
    ["a login that cannot be read", requestWith("Basic a:b"), false],
    ["a wrong password", basic("zoë:a"), true],
    ["an unknown user", basic("mallory:a:b"), true],
    ["no name", basic(":a:b"), true],
  ];
  for (const [title, request, isWrong] of refused) {
    it(`refuses ${title}, and ${isWrong ? "takes it" : "does not take it"} for a guess`, () => {
      assert.deepEqual(logIn(request, users), { refusal, isWrong });
    });
  }

  it("names nobody where nobody has to log in", () => {
    assert.deepEqual(logIn(basic("zoë:a:b"), new Users()), {});
    assert.deepEqual(logIn(requestWith(), new Users()), {});
  });
});
