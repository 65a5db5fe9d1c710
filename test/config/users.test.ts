import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const withUsers = (users: unknown) => ({ inbounds: [{ type: "mixed", listen_port: 0, users }] });
const usersOf = (users: unknown) => {
  const [inbound] = toConfig(withUsers(users)).inbounds;
  assert.ok(inbound?.type === "mixed");
  return inbound.users;
};

describe("users", () => {
  it("are none by default", () => {
    assert.deepEqual(usersOf(undefined), []);
    assert.deepEqual(usersOf([]), []);
  });

  it("are kept in their order", () => {
    const users = [
      { username: "bob", password: "b" },
      { username: "alice", password: "a" },
    ];
    assert.deepEqual(usersOf(users), users);
  });

  it("may be a single one", () => {
    assert.deepEqual(usersOf({ username: "alice", password: "a" }), [{ username: "alice", password: "a" }]);
  });

  it("may have names and passwords of 255 bytes", () => {
    const user = { username: "ä".repeat(127) + "x", password: "p".repeat(255) };
    assert.deepEqual(usersOf(user), [user]);
  });

  it("may have names with anything but : and >>>, and passwords with anything", () => {
    const user = { username: "a>> b@c ✓", password: "a:b>>>c" };
    assert.deepEqual(usersOf(user), [user]);
  });

  it("may use the same name in two inbounds", () => {
    const inbound = { type: "mixed", listen_port: 0, users: { username: "alice", password: "a" } };
    assert.deepEqual(issueLines({ inbounds: [inbound, inbound] }), []);
  });
});

describe("a wrong user", () => {
  const name = 'expected a user name of 1 to 255 bytes of UTF-8 without ":" and ">>>", not ending with ">"';
  const password = "expected a password of 1 to 255 bytes of UTF-8";
  const cases: readonly (readonly [what: string, user: unknown, ...issues: string[]])[] = [
    ["has an empty name", { username: "", password: "s3cret" }, `username: ${name}, got ""`],
    ["has a : in the name", { username: "a:b", password: "s3cret" }, `username: ${name}`],
    ["has a >>> in the name", { username: "a>>>b", password: "s3cret" }, `username: ${name}, got "a>>>b"`],
    ["has a > at the end of the name", { username: "a>", password: "s3cret" }, `username: ${name}, got "a>"`],
    [
      "has a name of 256 bytes",
      { username: "ä".repeat(128), password: "s3cret" },
      `username: ${name}, got "${"ä".repeat(57)}…"`,
    ],
    ["has a number for a name", { username: 5, password: "s3cret" }, `username: ${name}, got 5`],
    ["has no name", { password: "s3cret" }, `username: missing; ${name}`],
    ["has no password", { username: "alice" }, `password: missing; ${password}`],
    ["has an empty password", { username: "alice", password: "" }, `password: ${password}`],
    [
      "has a password of 256 bytes",
      { username: "a", password: "s3cret".repeat(43) },
      `password: ${password}`,
    ],
    ["has a number for a password", { username: "alice", password: 53242 }, `password: ${password}`],
    ["has a list for a password", { username: "alice", password: ["s3cret"] }, `password: ${password}`],
    [
      "has an unknown key",
      { username: "alice", password: "s3cret", pass: "s3cret" },
      'pass: unknown key; expected one of "username", "password"',
    ],
    ["has nothing", {}, `username: missing; ${name}`, `password: missing; ${password}`],
  ];
  for (const [what, user, ...issues] of cases) {
    it(`${what}, and that is all that is said`, () => {
      const good = { username: "good", password: "good" };
      assert.deepEqual(
        issueLines(withUsers([good, user])),
        issues.map((issue) => `inbounds[0].users[1].${issue}`),
      );
    });

    it(`${what}: the path has no index if it is the only one`, () => {
      assert.deepEqual(
        issueLines(withUsers(user)),
        issues.map((issue) => `inbounds[0].users.${issue}`),
      );
    });
  }

  const noObjects: readonly (readonly [user: unknown, kind: string])[] = [
    ["alice:s3cret", "a string"],
    [["alice", "s3cret"], "a list"],
    [53242, "a number"],
    [null, "null"],
  ];
  for (const [user, kind] of noObjects) {
    it(`is not shown if it is ${kind}, since it may be a password`, () => {
      assert.deepEqual(issueLines(withUsers([user])), [
        `inbounds[0].users[0]: expected an object, got ${kind}`,
      ]);
    });
  }
});
