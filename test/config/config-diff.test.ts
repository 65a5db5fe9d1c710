import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffConfigs } from "../../src/config/config-diff.js";
import { toConfig } from "../../src/config/to-config.js";

const alice = { username: "alice", password: "a" };
const bob = { username: "bob", password: "b" };
const none = { added: [], changed: [], removed: [] };

function diff(before: object, after: object) {
  return diffConfigs(toConfig(before), toConfig(after));
}

function mixed(tag: string, rest: object = {}): object {
  return { type: "mixed", tag, listen_port: 1080, ...rest };
}

const full = {
  log: { level: "warn" },
  inbounds: [
    mixed("a", { users: [alice, bob] }),
    { type: "direct", tag: "b", listen_port: 53, override_address: "192.0.2.1" },
  ],
  outbounds: [
    { type: "direct", tag: "x" },
    { type: "socks", tag: "y", server: "192.0.2.2", server_port: 1080, username: "u", password: "p" },
  ],
  route: { rules: [{ domain: ["a.test", "b.test"], port: 443, outbound: "y" }] },
  experimental: {
    v2ray_api: { listen: "127.0.0.1:10085", stats: { enabled: true, users: ["alice"] } },
    limits: { connections: 7 },
  },
};

describe("diffConfigs", () => {
  it("finds nothing between two readings of one config", () => {
    const { endsConnectionsOf, ...rest } = diff(full, structuredClone(full));
    assert.deepEqual(rest, {
      ...{ inbounds: none, outbounds: none, users: new Map(), sections: [] },
      ...{ isApiChanged: false, isApiMoved: false },
    });
    for (const user of ["alice", "bob", undefined]) assert.equal(endsConnectionsOf("a", user), false);
  });

  it("does not care for what is written out that holds anyway, nor for the order of what has tags", () => {
    const { inbounds, outbounds, users } = diff(
      { inbounds: [mixed("a"), mixed("b", { listen_port: 2 })] },
      {
        inbounds: [mixed("b", { listen_port: 2 }), mixed("a", { udp_timeout: "300s", users: [] })],
        outbounds: { type: "direct", tag: "direct" },
      },
    );
    assert.deepEqual([inbounds, outbounds, users], [none, none, new Map()]);
  });

  const inboundCases: readonly (readonly [title: string, before: object[], after: object[], object])[] = [
    ["a new tag", [mixed("a")], [mixed("a"), mixed("b", { listen_port: 2 })], { ...none, added: ["b"] }],
    [
      "a tag that is gone",
      [mixed("a"), mixed("b", { listen_port: 2 })],
      [mixed("a")],
      { ...none, removed: ["b"] },
    ],
    ["another name", [mixed("a")], [mixed("b")], { added: ["b"], changed: [], removed: ["a"] }],
    ["another port", [mixed("a")], [mixed("a", { listen_port: 2 })], { ...none, changed: ["a"] }],
    ["another address", [mixed("a")], [mixed("a", { listen: "::1" })], { ...none, changed: ["a"] }],
    ["another type", [mixed("a")], [mixed("a", { type: "socks" })], { ...none, changed: ["a"] }],
    ["another timeout", [mixed("a")], [mixed("a", { udp_timeout: "1s" })], { ...none, changed: ["a"] }],
    ["other users", [mixed("a")], [mixed("a", { users: [alice] })], none],
    [
      "other users beside another port",
      [mixed("a")],
      [mixed("a", { listen_port: 2, users: [alice] })],
      { ...none, changed: ["a"] },
    ],
  ];
  for (const [title, before, after, expected] of inboundCases) {
    it(`tells what becomes of inbounds: ${title}`, () => {
      assert.deepEqual(diff({ inbounds: before }, { inbounds: after }).inbounds, expected);
    });
  }

  const apiOf = (api: object) => ({ experimental: { v2ray_api: { listen: "127.0.0.1:1", ...api } } });
  const secretCases: readonly (readonly [
    title: string,
    before: object,
    after: object,
    isChanged: boolean,
  ])[] = [
    ["a first one", {}, { secret: "a" }, true],
    ["another one", { secret: "a" }, { secret: "b" }, true],
    ["none any more", { secret: "a" }, {}, true],
    [
      "the right to reset",
      { secrets: { name: "a", secret: "a" } },
      { secrets: { name: "a", secret: "a", reset: true } },
      true,
    ],
    [
      "what holds anyway",
      { secrets: { name: "a", secret: "a" } },
      { secrets: [{ name: "a", secret: "a", reset: false }] },
      false,
    ],
    ["one for an API that is off", { listen: "" }, { listen: "", secret: "a" }, false],
  ];
  for (const [title, before, after, isChanged] of secretCases) {
    it(`tells whether other secrets make another API: ${title}`, () => {
      assert.equal(diff(apiOf(before), apiOf(after)).isApiChanged, isChanged);
    });
  }

  it("tells what becomes of outbounds", () => {
    const socks = { type: "socks", tag: "s", server: "192.0.2.1", server_port: 1 };
    const { outbounds } = diff(
      { outbounds: [{ type: "direct", tag: "d" }, socks, { type: "block", tag: "gone" }] },
      {
        outbounds: [
          { type: "direct", tag: "new" },
          { type: "direct", tag: "d" },
          { ...socks, server_port: 2 },
        ],
      },
    );
    assert.deepEqual(outbounds, { added: ["new"], changed: ["s"], removed: ["gone"] });
  });

  const usersOf = (users: readonly object[]) => ({ inbounds: mixed("a", { users }) });
  const userCases: readonly (readonly [title: string, object[], object[], object, ended: unknown[]])[] = [
    ["one more", [alice], [alice, bob], { ...none, added: ["bob"] }, []],
    ["one less", [alice, bob], [alice], { ...none, removed: ["bob"] }, ["bob"]],
    [
      "another password",
      [alice, bob],
      [{ ...alice, password: "x" }, bob],
      { ...none, changed: ["alice"] },
      ["alice"],
    ],
    ["another order", [alice, bob], [bob, alice], none, []],
    ["the first ones", [], [alice], { ...none, added: ["alice"] }, [undefined]],
    ["none any more", [alice], [], { ...none, removed: ["alice"] }, ["alice"]],
  ];
  for (const [title, before, after, expected, ended] of userCases) {
    it(`tells what becomes of the users of an inbound that stays, and whom that ends: ${title}`, () => {
      const changes = diff(usersOf(before), usersOf(after));
      assert.deepEqual(changes.users.get("a") ?? none, expected);
      assert.deepEqual(
        ["alice", "bob", undefined].filter((user) => changes.endsConnectionsOf("a", user)),
        ended,
      );
      assert.equal(changes.endsConnectionsOf("other", ended[0] === undefined ? undefined : "alice"), false);
    });
  }

  it("ends all that came by an inbound that has changed or is gone, and tells nothing of its users", () => {
    const before = {
      inbounds: [mixed("a", { users: [alice] }), mixed("b", { listen_port: 2, users: [alice] })],
    };
    const changes = diff(before, { inbounds: mixed("a", { listen_port: 3, users: [bob] }) });
    assert.deepEqual(changes.users, new Map());
    for (const inbound of ["a", "b"]) {
      for (const user of ["alice", "bob", undefined]) {
        assert.equal(changes.endsConnectionsOf(inbound, user), true);
      }
    }
  });

  it("tells users of two inbounds apart, though they have one name", () => {
    const before = {
      inbounds: [mixed("a", { users: [alice] }), mixed("b", { listen_port: 2, users: [alice] })],
    };
    const after = {
      inbounds: [
        mixed("a", { users: [{ ...alice, password: "x" }] }),
        mixed("b", { listen_port: 2, users: [alice] }),
      ],
    };
    const changes = diff(before, after);
    assert.deepEqual([...changes.users.keys()], ["a"]);
    assert.equal(changes.endsConnectionsOf("a", "alice"), true);
    assert.equal(changes.endsConnectionsOf("b", "alice"), false);
  });

  const api = (keys: object) => ({ experimental: { v2ray_api: keys } });
  const here = { listen: "127.0.0.1:1" };
  const apiCases: readonly (readonly [before: object, after: object, isChanged: boolean])[] = [
    [here, { ...here, stats: { users: "*" } }, false],
    [here, { listen: "127.0.0.1:2" }, false],
    [here, { ...here, access_control_allow_origin: "https://panel.example" }, true],
    [here, { ...here, allow_from_proxy: true }, true],
    [here, { ...here, allow_from_proxy: false }, false],
    [here, { ...here, stats: { enabled: true } }, true],
    [here, {}, true],
    [{}, here, true],
    [{}, { stats: { enabled: true } }, false],
    [here, { ...here, metrics: { users: false } }, true],
    [{}, { metrics: { users: false } }, false],
    [here, { ...here, tls: { min_version: "1.3" } }, false],
    [here, { ...here, tls: { enabled: true, certificate_path: "a", key_path: "b" } }, true],
  ];
  const moves: readonly (readonly [before: unknown, after: unknown, isMoved: boolean])[] = [
    ["127.0.0.1:1", ["127.0.0.1:1"], false],
    ["127.0.0.1:1", "127.0.0.1:2", true],
    ["127.0.0.1:1", ["127.0.0.1:1", "unix:/a"], true],
    [["unix:/b", "unix:/a"], "unix:/b", true],
    ["", [], false],
    ["", "unix:/a", true],
  ];
  for (const [before, after, isMoved] of moves) {
    it(`tells whether the API listens elsewhere: ${JSON.stringify([before, after])}`, () => {
      assert.equal(diff(api({ listen: before }), api({ listen: after })).isApiMoved, isMoved);
    });
  }

  for (const [before, after, isChanged] of apiCases) {
    it(`says ${isChanged ? "that" : "whether"} the API is another one: ${JSON.stringify([before, after])}`, () => {
      assert.equal(diff(api(before), api(after)).isApiChanged, isChanged);
    });
  }

  const sectionCases: readonly (readonly [keys: object, path: string])[] = [
    [{ log: { level: "debug" } }, "log"],
    [{ route: { rules: [{ port: 1, action: "reject" }] } }, "route"],
    [{ route: { final: "direct" } }, "route"],
    [api({ stats: { users: "*" } }), "experimental.v2ray_api.stats"],
    [{ experimental: { limits: { connections: 1 } } }, "experimental.limits"],
    [{ experimental: { timeouts: { idle: "1h" } } }, "experimental.timeouts"],
  ];
  for (const [keys, path] of sectionCases) {
    it(`names the section that has changed: ${path}`, () => {
      assert.deepEqual(diff({}, keys).sections, [path]);
      assert.deepEqual(diff(keys, {}).sections, [path]);
    });
  }
});
