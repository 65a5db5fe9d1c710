import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Users, type User } from "../../src/proxy/users.js";

const alice: User = { username: "alice", password: "secret" };
const bob: User = { username: "bob", password: "sécret:🔑" };

describe("Users", () => {
  it("requires a login only where there are users", () => {
    assert.equal(new Users().areRequired, false);
    assert.equal(new Users([]).areRequired, false);
    assert.equal(new Users([alice]).areRequired, true);
  });

  const users = new Users([alice, bob, { username: "", password: "p" }, { username: "quiet", password: "" }]);
  const logins: readonly (readonly [username: string, password: string, isRight: boolean])[] = [
    ["alice", "secret", true],
    ["bob", "sécret:🔑", true],
    ["alice", "sécret:🔑", false],
    ["bob", "secret", false],
    ["alice", "", false],
    ["alice", "Secret", false],
    ["alice", "secret ", false],
    ["alice", "secre", false],
    ["Alice", "secret", false],
    ["alice ", "secret", false],
    ["carol", "secret", false],
    ["carol", "", false],
    ["", "p", true],
    ["", "", false],
    ["quiet", "", true],
    ["quiet", "x", false],
    ["__proto__", "secret", false],
    ["constructor", "", false],
  ];
  for (const [username, password, isRight] of logins) {
    it(`lets ${JSON.stringify(username)} with ${JSON.stringify(password)} ${isRight ? "in" : "wait outside"}`, () => {
      assert.equal(users.authenticate(username, password), isRight);
    });
  }

  it("lets nobody log in where there are no users", () => {
    assert.equal(new Users().authenticate("", ""), false);
    assert.equal(new Users().authenticate("alice", "secret"), false);
  });

  it("does not follow later changes of the caller's list", () => {
    const list: User[] = [alice];
    const kept = new Users(list);
    list.push(bob);
    assert.equal(kept.authenticate(bob.username, bob.password), false);
  });

  const successors: readonly (readonly [
    string | undefined,
    before: User[],
    after: User[],
    admits: boolean,
  ])[] = [
    ["alice", [alice], [alice], true],
    ["alice", [alice], [bob, alice], true],
    ["alice", [alice], [bob], false],
    ["alice", [alice], [], false],
    ["alice", [alice], [{ ...alice, password: "Secret" }], false],
    ["bob", [alice], [alice, bob], false],
    [undefined, [], [], true],
    [undefined, [], [alice], false],
  ];
  for (const [username, before, after, admits] of successors) {
    const lists = JSON.stringify([before, after].map((list) => list.map((user) => user.username)));
    it(`${admits ? "still admits" : "no longer admits"} ${username ?? "somebody"} by ${lists}`, () => {
      assert.equal(new Users(after).stillAdmit(username, new Users(before)), admits);
    });
  }
});
