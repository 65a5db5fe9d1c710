import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatOnlineName, joinOnlineName, parseOnlineName } from "../../src/stats/online-name.js";

describe("The name under which a user is online", () => {
  for (const user of ["alice", "a@b.test", "ünïcödé 🦊", "a>b", "online", "traffic", ""]) {
    it(`is written and read for ${JSON.stringify(user)}`, () => {
      const name = formatOnlineName(user);
      assert.equal(name, `user>>>${user}>>>online`);
      assert.equal(parseOnlineName(name), user);
    });
  }

  for (const user of ["a>>>b", ">>>", "a>"]) {
    it(`cannot be written for ${JSON.stringify(user)}`, () => {
      assert.throws(() => formatOnlineName(user), RangeError);
    });

    it(`is joined for ${JSON.stringify(user)} all the same, to ask others`, () => {
      assert.equal(joinOnlineName(user), `user>>>${user}>>>online`);
    });
  }

  for (const name of [
    "",
    "alice",
    "user>>>alice",
    "user>>>alice>>>traffic>>>uplink",
    "user>>>alice>>>offline",
    "user>>>alice>>>online>>>",
    "user>>>alice>>>online>>>now",
    "user>>>a>>>b>>>online",
    "inbound>>>alice>>>online",
    "User>>>alice>>>online",
    " user>>>alice>>>online",
  ]) {
    it(`is not ${JSON.stringify(name)}`, () => {
      assert.equal(parseOnlineName(name), undefined);
    });
  }
});
