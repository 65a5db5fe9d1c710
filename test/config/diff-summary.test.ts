import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffConfigs } from "../../src/config/config-diff.js";
import { summarizeDiff } from "../../src/config/diff-summary.js";
import { toConfig } from "../../src/config/to-config.js";

function summarize(before: object, after: object): object {
  return summarizeDiff(diffConfigs(toConfig(before), toConfig(after)));
}

function user(username: string, password = "s3cret"): object {
  return { username, password };
}

describe("summarizeDiff", () => {
  it("says of each kind of change what it concerns, by name", () => {
    const before = {
      inbounds: [
        { type: "mixed", tag: "stays", listen_port: 1, users: [user("alice"), user("bob")] },
        { type: "mixed", tag: "goes", listen_port: 2 },
        { type: "mixed", tag: "moves", listen_port: 3 },
      ],
      outbounds: [{ type: "direct", tag: "one" }],
    };
    const after = {
      inbounds: [
        { type: "mixed", tag: "stays", listen_port: 1, users: [user("alice", "0ther"), user("carol")] },
        { type: "mixed", tag: "moves", listen_port: 4 },
        { type: "http", tag: "comes", listen_port: 5 },
        { type: "http", tag: "too", listen_port: 6 },
      ],
      outbounds: [{ type: "direct", tag: "two" }],
      route: { rules: { port: 25, action: "reject" } },
      experimental: { v2ray_api: { listen: "127.0.0.1:7" } },
    };
    assert.deepEqual(summarize(before, after), {
      added: "inbounds comes, too; outbound two; inbound stays: user carol",
      changed: "inbound moves; inbound stays: user alice; v2ray_api; route",
      removed: "inbound goes; outbound one; inbound stays: user bob",
    });
  });

  it("says nothing where nothing has changed", () => {
    assert.deepEqual(summarize({}, {}), { added: undefined, changed: undefined, removed: undefined });
  });

  it("shows a bounded number of names", () => {
    const inbound = { type: "mixed", tag: "in", listen_port: 1 };
    const users = Array.from({ length: 1_000 }, (_, index) => user(`user-${index}`));
    const shown = Array.from({ length: 20 }, (_, index) => `user-${index}`).join(", ");
    assert.deepEqual(summarize({ inbounds: inbound }, { inbounds: { ...inbound, users } }), {
      added: `inbound in: users ${shown} and 980 more`,
      changed: undefined,
      removed: undefined,
    });
  });

  it("shows a bounded number of users over all inbounds", () => {
    const inbounds = (count: number) =>
      ["a", "b", "c", "d"].map((tag, index) => {
        const users = Array.from({ length: count }, (_, number) => user(`${tag}${number}`));
        return { type: "mixed", tag, listen_port: index + 1, users };
      });
    const list = (tag: string, count: number) =>
      Array.from({ length: count }, (_, number) => `${tag}${number}`).join(", ");
    assert.deepEqual(summarize({ inbounds: inbounds(0) }, { inbounds: inbounds(8) }), {
      added: `inbound a: users ${list("a", 8)}; inbound b: users ${list("b", 8)}; inbound c: users ${list("c", 4)} and 4 more; 8 more users`,
      changed: undefined,
      removed: undefined,
    });
  });

  it("shows no password, neither an old one nor a new one", () => {
    const inbound = { type: "mixed", tag: "in", listen_port: 1 };
    const upstream = { type: "http", tag: "up", server: "192.0.2.1", server_port: 1, username: "u" };
    const text = JSON.stringify(
      summarize(
        { inbounds: { ...inbound, users: user("a", "0ld") }, outbounds: { ...upstream, password: "0ld" } },
        { inbounds: { ...inbound, users: user("a", "n3w") }, outbounds: { ...upstream, password: "n3w" } },
      ),
    );
    assert.match(text, /user a/);
    assert.match(text, /outbound up/);
    assert.doesNotMatch(text, /0ld|n3w/);
  });
});
