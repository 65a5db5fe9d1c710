import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionTable, type ConnectionEntry } from "../../src/track/connection-table.js";
import type { ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { OnlineUsers, type OnlineUsersOptions } from "../../src/track/online-users.js";

const metadata: ConnectionMetadata = {
  inbound: "socks",
  outbound: "direct",
  network: "tcp",
  source: { host: "192.0.2.1", port: 1 },
  destination: { host: "a.test", port: 2 },
  rule: "final",
};
const handle = { moved: { uplinkBytes: 0, downlinkBytes: 0 }, close: () => undefined };

/** Who is online of those whose connections `open` enters into a table, each from a port of its own. */
function watch(options?: OnlineUsersOptions) {
  const online = new OnlineUsers(options);
  const table = new ConnectionTable({ watchers: [online] });
  let port = 1_024;
  const open = (user: string | undefined, host = "192.0.2.1"): ConnectionEntry =>
    table.open({ ...metadata, user, source: { host, port: port++ } }, handle);
  return { online, table, open };
}

function end(...entries: readonly ConnectionEntry[]): void {
  for (const entry of entries) entry[Symbol.dispose]();
}

describe("OnlineUsers", () => {
  it("know nobody at first", () => {
    const { online } = watch();
    assert.deepEqual(online.users(), []);
    assert.equal(online.addressesOf("alice"), undefined);
  });

  it("list a user from the first connection to the end of the last one", () => {
    const { online, open } = watch();
    const first = open("alice");
    assert.deepEqual(online.users(), ["alice"]);
    const second = open("alice");
    end(first);
    assert.deepEqual(online.users(), ["alice"]);
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.1"]);
    end(second);
    assert.deepEqual(online.users(), []);
    assert.deepEqual(online.addressesOf("alice"), []);
    assert.equal(online.addressesOf("bob"), undefined);
  });

  it("list an address once, whatever its ports, until its last connection has ended", () => {
    const { online, open } = watch();
    const one = open("alice", "192.0.2.1");
    const other = open("alice", "2001:db8::1");
    const again = open("alice", "192.0.2.1");
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.1", "2001:db8::1"]);
    end(one);
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.1", "2001:db8::1"]);
    end(again);
    assert.deepEqual(online.addressesOf("alice"), ["2001:db8::1"]);
    end(other);
    assert.deepEqual(online.addressesOf("alice"), []);
  });

  it("keep users apart who come from the same address", () => {
    const { online, open } = watch();
    const alice = open("alice");
    open("bob");
    end(alice);
    assert.deepEqual(online.users(), ["bob"]);
    assert.deepEqual([online.addressesOf("alice"), online.addressesOf("bob")], [[], ["192.0.2.1"]]);
  });

  it("welcome whoever comes back, as the last one", () => {
    const { online, open } = watch();
    end(open("alice"));
    open("bob");
    open("alice", "192.0.2.9");
    assert.deepEqual(online.users(), ["bob", "alice"]);
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.9"]);
  });

  it("count packets' connections as others", () => {
    const online = new OnlineUsers();
    const table = new ConnectionTable({ watchers: [online] });
    const entry = table.open({ ...metadata, user: "alice", network: "udp" }, handle);
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.1"]);
    end(entry);
    assert.deepEqual(online.addressesOf("alice"), []);
  });

  it("do not take the end of a connection for two", () => {
    const { online, open } = watch();
    const first = open("alice");
    open("alice");
    end(first, first, first);
    assert.deepEqual(online.users(), ["alice"]);
  });

  it("hand out lists that nothing changes afterwards", () => {
    const { online, open } = watch();
    open("alice");
    const [users, addresses] = [online.users(), online.addressesOf("alice")];
    open("bob");
    open("alice", "192.0.2.2");
    assert.deepEqual([users, addresses], [["alice"], ["192.0.2.1"]]);
  });

  for (const user of [undefined, "", "a>>>b", "a>"]) {
    it(`know nobody whose name is ${JSON.stringify(user)}`, () => {
      const { online, open } = watch();
      const entry = open(user);
      assert.deepEqual(online.users(), []);
      assert.equal(online.addressesOf(user ?? ""), undefined);
      end(entry);
      assert.equal(online.addressesOf(user ?? ""), undefined);
    });
  }

  for (const [users, known] of [
    [[], []],
    [["alice"], ["alice"]],
    [["*"], ["alice", "bob"]],
    [
      ["bob", "*"],
      ["alice", "bob"],
    ],
  ] as const) {
    it(`know those who are listed: ${JSON.stringify(users)}`, () => {
      const { online, open } = watch({ users });
      const entries = [open("alice"), open("bob")];
      assert.deepEqual(online.users(), known);
      end(...entries);
      for (const user of ["alice", "bob"]) {
        assert.deepEqual(online.addressesOf(user), known.some((name) => name === user) ? [] : undefined);
      }
    });
  }

  it("tell of others from now on when told so, with the connections that are open already", () => {
    const { online, open } = watch({ users: ["alice"] });
    const bobs = [open("bob", "192.0.2.1"), open("bob", "192.0.2.1")];
    open("alice");
    online.know({ users: ["bob"] });
    assert.deepEqual([online.users(), online.addressesOf("alice")], [["bob"], undefined]);
    // The first of two, both of them older than the list.
    end(...bobs.slice(1));
    assert.deepEqual(online.addressesOf("bob"), ["192.0.2.1"]);
    end(...bobs);
    assert.deepEqual([online.users(), online.addressesOf("bob")], [[], []]);
    online.know({});
    assert.deepEqual([online.users(), online.addressesOf("bob")], [["alice"], []]);
  });

  it("leave the machine itself out, or let it in, from now on when told so", () => {
    const { online, open } = watch();
    open("alice", "127.0.0.1");
    online.know({ countLoopback: false });
    assert.deepEqual([online.users(), online.addressesOf("alice")], [[], []]);
    online.know({ countLoopback: true });
    assert.deepEqual([online.users(), online.addressesOf("alice")], [["alice"], ["127.0.0.1"]]);
  });

  it("change nothing where the new list cannot be", () => {
    const { online, open } = watch({ users: ["alice"] });
    open("alice");
    assert.throws(() => {
      online.know({ users: ["bob", "a>>>b"], countLoopback: false });
    }, RangeError);
    assert.deepEqual(online.users(), ["alice"]);
  });

  it("refuse to list what cannot be a part of a name", () => {
    for (const user of ["a>>>b", "a>"]) assert.throws(() => new OnlineUsers({ users: [user] }), RangeError);
  });

  const loopback = ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"];
  for (const host of loopback) {
    it(`count ${host} as any address unless told otherwise`, () => {
      const { online, open } = watch();
      open("alice", host);
      assert.deepEqual(online.addressesOf("alice"), [host]);
    });

    it(`leave ${host} out if told so, and have seen its user`, () => {
      const { online, open } = watch({ countLoopback: false });
      const entry = open("alice", host);
      assert.deepEqual(online.users(), []);
      assert.deepEqual(online.addressesOf("alice"), []);
      end(entry);
      assert.deepEqual(online.addressesOf("alice"), []);
    });
  }

  for (const host of ["10.127.0.1", "128.0.0.1", "::", "::127", "2001:db8::1", "::ffff:10.0.0.1"]) {
    it(`do not take ${host} for the machine itself`, () => {
      const { online, open } = watch({ countLoopback: false });
      open("alice", host);
      assert.deepEqual(online.addressesOf("alice"), [host]);
    });
  }

  it("keep a user online whose connections from elsewhere stay, whatever ends on the machine itself", () => {
    const { online, open } = watch({ countLoopback: false });
    open("alice");
    end(open("alice", "127.0.0.1"));
    assert.deepEqual(online.addressesOf("alice"), ["192.0.2.1"]);
    assert.deepEqual(online.users(), ["alice"]);
  });

  it("remember as many of those who are gone as they may, the last ones", () => {
    const { online, open } = watch({ maxGone: 2 });
    const stays = open("stays");
    for (const user of ["a", "b", "a", "c"]) end(open(user));
    assert.deepEqual(
      ["a", "b", "c"].map((user) => online.addressesOf(user)),
      [[], undefined, []],
    );
    assert.deepEqual(online.users(), ["stays"]);
    end(stays);
    assert.deepEqual(
      ["a", "c", "stays"].map((user) => online.addressesOf(user)),
      [undefined, [], []],
    );
  });

  it("count right whoever comes and goes in any order", () => {
    const { online, open, table } = watch();
    const openOnes: ConnectionEntry[] = [];
    for (let step = 0; step < 5_000; step++) {
      const draw = (step * 7_919) % 13;
      if (draw < 7) openOnes.push(open(`user${step % 5}`, `192.0.2.${draw % 3}`));
      else end(...openOnes.splice((step * 31) % (openOnes.length || 1), 1));
    }
    const expected = new Map<string, Set<string>>();
    for (const { metadata: facts } of table.list()) {
      const { user = "" } = facts;
      expected.set(user, (expected.get(user) ?? new Set()).add(facts.source.host));
    }
    assert.ok(table.size > 10);
    assert.deepEqual(online.users().toSorted(), [...expected.keys()].toSorted());
    for (const [user, addresses] of expected) {
      assert.deepEqual(online.addressesOf(user)?.toSorted(), [...addresses].toSorted());
    }
    end(...openOnes);
    assert.deepEqual(online.users(), []);
  });
});
