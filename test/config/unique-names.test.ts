import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines } from "./issues.js";

const inbound = (extra: object = {}) => ({ type: "mixed", listen_port: 0, ...extra });
const outbound = (extra: object = {}) => ({ type: "direct", ...extra });

describe("tags", () => {
  it("may be the same for an inbound and an outbound", () => {
    assert.deepEqual(issueLines({ inbounds: inbound({ tag: "a" }), outbounds: outbound({ tag: "a" }) }), []);
    assert.deepEqual(issueLines({ inbounds: inbound(), outbounds: outbound() }), []);
  });

  it("must not be the same for two inbounds", () => {
    assert.deepEqual(
      issueLines({ inbounds: [inbound({ tag: "a" }), inbound({ tag: "b" }), inbound({ tag: "a" })] }),
      ['inbounds[2].tag: expected a tag of its own, got "a", already the tag of inbounds[0]'],
    );
  });

  it("must not be the same for two outbounds", () => {
    assert.deepEqual(issueLines({ outbounds: [outbound({ tag: "a" }), outbound({ tag: "a" })] }), [
      'outbounds[1].tag: expected a tag of its own, got "a", already the tag of outbounds[0]',
    ]);
  });

  it("are reported once for each that repeats the first", () => {
    const same = outbound({ tag: "a" });
    assert.deepEqual(issueLines({ outbounds: [same, same, same] }), [
      'outbounds[1].tag: expected a tag of its own, got "a", already the tag of outbounds[0]',
      'outbounds[2].tag: expected a tag of its own, got "a", already the tag of outbounds[0]',
    ]);
  });

  it("must not be the index of an earlier one without a tag", () => {
    assert.deepEqual(issueLines({ inbounds: [inbound(), inbound({ tag: "0" })] }), [
      'inbounds[1].tag: expected a tag of its own, got "0", already the tag of inbounds[0], ' +
        'which has no "tag" and is called by its index',
    ]);
  });

  it("must not be the index of a later one without a tag", () => {
    assert.deepEqual(issueLines({ outbounds: [outbound({ tag: "1" }), outbound()] }), [
      'outbounds[1]: without a "tag" it is called by its index, "1", which is already the tag of outbounds[0]',
    ]);
  });

  it("may be the own index", () => {
    assert.deepEqual(issueLines({ outbounds: [outbound({ tag: "0" }), outbound({ tag: "1" })] }), []);
  });

  it("are compared also where something else is wrong", () => {
    assert.deepEqual(issueLines({ inbounds: [{ tag: "a" }, { type: "tun", tag: "a" }] }), [
      'inbounds[0].type: missing; expected one of "mixed", "socks", "http", "direct"',
      'inbounds[1].type: expected one of "mixed", "socks", "http", "direct", got "tun"',
      'inbounds[1].tag: expected a tag of its own, got "a", already the tag of inbounds[0]',
    ]);
  });

  it("that are empty or no strings are not repeated ones as well", () => {
    const tags = ["", "", 5, 5, null, null];
    assert.deepEqual(
      issueLines({ outbounds: tags.map((tag) => outbound({ tag })) }),
      tags.map(
        (tag, index) =>
          `outbounds[${index}].tag: expected a tag that is not empty, does not contain ">>>" and does not end with ">", ` +
          `got ${JSON.stringify(tag)}`,
      ),
    );
  });

  it("are not looked for in what is no object", () => {
    assert.deepEqual(issueLines({ outbounds: ["direct", "direct"] }), [
      "outbounds[0]: expected an object, got a string",
      "outbounds[1]: expected an object, got a string",
    ]);
  });

  it("may be called like members of every object", () => {
    const outbounds = ["__proto__", "constructor", "toString"].map((tag) => outbound({ tag }));
    assert.deepEqual(issueLines({ outbounds, route: { final: "__proto__" } }), []);
  });
});

describe("user names", () => {
  const alice = { username: "alice", password: "first" };

  it("must not be the same in one inbound", () => {
    const users = [alice, { username: "bob", password: "second" }, { username: "alice", password: "third" }];
    assert.deepEqual(issueLines({ inbounds: [inbound(), inbound({ users })] }), [
      'inbounds[1].users[2].username: expected a user name of its own, got "alice", ' +
        "already the name of inbounds[1].users[0]",
    ]);
  });

  it("differ by case", () => {
    assert.deepEqual(
      issueLines({ inbounds: inbound({ users: [alice, { ...alice, username: "Alice" }] }) }),
      [],
    );
  });

  it("are compared also where something else is wrong", () => {
    assert.deepEqual(issueLines({ inbounds: inbound({ users: [alice, { username: "alice" }] }) }), [
      "inbounds.users[1].password: missing; expected a password of 1 to 255 bytes of UTF-8",
      'inbounds.users[1].username: expected a user name of its own, got "alice", ' +
        "already the name of inbounds.users[0]",
    ]);
  });
});
