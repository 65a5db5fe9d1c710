import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines, issuePlaces } from "./issues.js";

const user = { username: "a", password: "s3cret" };
const types = ["mixed", "socks", "http"];
const outside = [
  "0.0.0.0",
  "::",
  "192.0.2.1",
  "2001:db8::1",
  "fe80::1",
  "::ffff:192.0.2.1",
  "::ffff:0.0.0.0",
];
const inside = ["127.0.0.1", "127.3.2.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"];

describe("an inbound that other machines reach", () => {
  for (const listen of outside) {
    it(`is refused without users: ${listen}`, () => {
      for (const type of types) {
        for (const more of [{}, { users: [] }, { insecure: false }]) {
          assert.deepEqual(issueLines({ inbounds: [{ type, listen, listen_port: 1, ...more }] }), [
            `inbounds[0].listen: ${listen} can be reached from other machines, and whoever reaches it can use the proxy; ` +
              'expected "users" beside it, or a loopback address such as 127.0.0.1, or "insecure": true if that is meant',
          ]);
        }
      }
    });

    it(`is fine with users, or where that is meant: ${listen}`, () => {
      for (const type of types) {
        for (const more of [{ users: user }, { users: [user] }, { insecure: true }]) {
          assert.deepEqual(issueLines({ inbounds: { type, listen, listen_port: 1, ...more } }), []);
        }
      }
    });

    it(`is fine where it leads to one place: ${listen}`, () => {
      const inbounds = { type: "direct", listen, listen_port: 1, override_address: "192.0.2.2" };
      assert.deepEqual(issueLines({ inbounds }), []);
    });
  }

  for (const listen of [...inside, undefined]) {
    it(`is not one that listens on ${listen ?? "the default"}`, () => {
      for (const type of types)
        assert.deepEqual(issueLines({ inbounds: { type, listen, listen_port: 1 } }), []);
    });
  }

  it("is not said to be one because of users or an address that are wrong", () => {
    const place = (inbound: object) =>
      issueLines({ inbounds: { type: "mixed", listen: "::", listen_port: 1, ...inbound } }).map(
        (line) => line.split(":")[0],
      );
    assert.deepEqual(place({ users: "alice" }), ["inbounds.users"]);
    assert.deepEqual(place({ listen: "localhost" }), ["inbounds.listen"]);
    assert.deepEqual(place({ insecure: "true" }), ["inbounds.insecure", "inbounds.listen"]);
  });

  it("is blamed where it says where it listens, each of several", () => {
    const text = `{"inbounds": [
  { "type": "mixed", "listen": "::", "listen_port": 1 },
  { "type": "mixed", "listen": "::1", "listen_port": 2 },
  { "type": "http", "listen": "0.0.0.0", "listen_port": 3 }]}`;
    assert.deepEqual(issuePlaces(text), ["2:32: inbounds[0].listen", "4:31: inbounds[2].listen"]);
  });

  it("of type direct has no such flag", () => {
    const inbounds = { type: "direct", listen_port: 1, override_address: "192.0.2.2", insecure: true };
    assert.deepEqual(issueLines({ inbounds }).length, 1);
  });
});
