import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countConnection } from "../../src/net/counting-connection.js";
import type { MovedBytes } from "../../src/net/moved-bytes.js";
import { relay } from "../../src/net/relay.js";
import { RelayTally } from "../../src/net/relay-tally.js";
import { resetConnection } from "../../src/net/reset.js";
import {
  ConnectionTable,
  type ConnectionHandle,
  type ConnectionWatcher,
} from "../../src/track/connection-table.js";
import type { ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { readAll } from "../helpers/bytes.js";
import { endingOf } from "../helpers/ending.js";
import { socketPair } from "../helpers/sockets.js";
import { createTallies } from "../helpers/tally.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 10_000 };

const metadata: ConnectionMetadata = {
  inbound: "socks",
  outbound: "direct",
  user: "alice",
  network: "tcp",
  source: { host: "127.0.0.1", port: 1 },
  destination: { host: "a.test", port: 2 },
  rule: "final",
};

/** A connection in name only, that notes how often it is looked at and closed. */
class Handle implements ConnectionHandle {
  uplinkBytes = 0;
  downlinkBytes = 0;
  lookCount = 0;
  closeCount = 0;

  get moved(): MovedBytes {
    this.lookCount++;
    return this;
  }

  close(): void {
    this.closeCount++;
  }
}

function idsIn(table: ConnectionTable): number[] {
  return table.list().map(({ id }) => id);
}

describe("ConnectionTable", () => {
  it("knows how many connections there have been of each network, and how many are over", () => {
    const table = new ConnectionTable();
    const none = { opened: 0, closed: 0 };
    assert.deepEqual(table.tallies, { tcp: none, udp: none });
    const first = table.open(metadata, new Handle());
    table.open(metadata, new Handle());
    const packets = table.open({ ...metadata, network: "udp" }, new Handle());
    assert.deepEqual(table.tallies, { tcp: { opened: 2, closed: 0 }, udp: { opened: 1, closed: 0 } });
    for (const entry of [first, packets, first]) entry[Symbol.dispose]();
    assert.deepEqual(table.tallies, { tcp: { opened: 2, closed: 1 }, udp: { opened: 1, closed: 1 } });
  });

  it("is empty at first", () => {
    const table = new ConnectionTable();
    assert.equal(table.size, 0);
    assert.deepEqual(table.list(), []);
    assert.equal(table.get(1), undefined);
  });

  it("lists what is open, with its facts, its start and its bytes", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    const table = new ConnectionTable();
    const handle = new Handle();
    const { id } = table.open(metadata, handle);
    t.mock.timers.tick(5_000);
    Object.assign(handle, { uplinkBytes: 3, downlinkBytes: 2 ** 40 });
    const shown = { id, metadata, startedAtMs: 1_000_000, uplinkBytes: 3, downlinkBytes: 2 ** 40 };
    assert.deepEqual(table.list(), [shown]);
    assert.deepEqual(table.get(id), shown);
    assert.equal(table.size, 1);
  });

  it("lists the oldest first, whoever has gone in between", () => {
    const table = new ConnectionTable();
    const entries = Array.from({ length: 5 }, () => table.open(metadata, new Handle()));
    entries[1]?.[Symbol.dispose]();
    entries[3]?.[Symbol.dispose]();
    const { id } = table.open(metadata, new Handle());
    assert.deepEqual(idsIn(table), [entries[0]?.id, entries[2]?.id, entries[4]?.id, id]);
    assert.equal(table.size, 4);
  });

  it("gives no id twice", () => {
    const table = new ConnectionTable();
    const ids = Array.from({ length: 100 }, (_, index) => {
      const entry = table.open(metadata, new Handle());
      if (index % 3 !== 0) entry[Symbol.dispose]();
      return entry.id;
    });
    assert.equal(new Set(ids).size, 100);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
  });

  it("hands out a list that nothing changes afterwards", () => {
    const table = new ConnectionTable();
    const handle = new Handle();
    const entry = table.open(metadata, handle);
    const before = table.list();
    const one = table.get(entry.id);
    handle.uplinkBytes = 7;
    table.open(metadata, new Handle());
    entry[Symbol.dispose]();
    assert.deepEqual(
      before.map(({ id, uplinkBytes }) => [id, uplinkBytes]),
      [[entry.id, 0]],
    );
    assert.equal(one?.uplinkBytes, 0);
  });

  it("lets the caller do with the list as they please", () => {
    const table = new ConnectionTable();
    const { id } = table.open(metadata, new Handle());
    table.list().pop();
    assert.deepEqual(idsIn(table), [id]);
  });

  it("can be changed by whoever goes through a list of it", () => {
    const table = new ConnectionTable();
    const entries = Array.from({ length: 3 }, () => table.open(metadata, new Handle()));
    const seen: number[] = [];
    for (const { id } of table.list()) {
      seen.push(id);
      table.open(metadata, new Handle());
      for (const entry of entries) entry[Symbol.dispose]();
    }
    assert.deepEqual(
      seen,
      entries.map(({ id }) => id),
    );
    assert.equal(table.size, 3);
  });

  it("looks at a connection's bytes only when it is asked", () => {
    const table = new ConnectionTable();
    const [asked, other] = [new Handle(), new Handle()];
    const { id } = table.open(metadata, asked);
    const { id: otherId } = table.open(metadata, other);
    table.get(id);
    table.close(otherId);
    assert.deepEqual([asked.lookCount, other.lookCount], [1, 0]);
    table.list();
    assert.deepEqual([asked.lookCount, other.lookCount], [2, 1]);
  });

  it("closes the connection that is meant, and no other", () => {
    const table = new ConnectionTable();
    const handles = [new Handle(), new Handle(), new Handle()];
    const ids = handles.map((handle) => table.open(metadata, handle).id);
    assert.equal(table.close(ids[1] ?? 0), true);
    assert.deepEqual(
      handles.map(({ closeCount }) => closeCount),
      [0, 1, 0],
    );
  });

  it("lists a connection until it is over, and not until it is told to close", () => {
    const table = new ConnectionTable();
    const handle = new Handle();
    const entry = table.open(metadata, handle);
    assert.equal(table.close(entry.id), true);
    assert.equal(table.size, 1);
    assert.equal(table.close(entry.id), true);
    assert.equal(handle.closeCount, 2);
    entry[Symbol.dispose]();
    assert.equal(table.close(entry.id), false);
    assert.equal(handle.closeCount, 2);
    assert.equal(table.get(entry.id), undefined);
    assert.equal(table.size, 0);
  });

  for (const id of [0, 2, -1, 1.5, Number.NaN]) {
    it(`has nothing to close for ${id}`, () => {
      const table = new ConnectionTable();
      const handle = new Handle();
      table.open(metadata, handle);
      assert.equal(table.close(id), false);
      assert.equal(handle.closeCount, 0);
    });
  }

  it("takes out what is disposed of twice once, and nothing else", () => {
    const table = new ConnectionTable();
    const first = table.open(metadata, new Handle());
    first[Symbol.dispose]();
    const second = table.open(metadata, new Handle());
    first[Symbol.dispose]();
    assert.deepEqual(idsIn(table), [second.id]);
  });
});

describe("A ConnectionTable's watchers", () => {
  it("are told of each connection as it comes and goes, once, one after another", () => {
    const told: unknown[] = [];
    const watcher = (name: string): ConnectionWatcher => ({
      opened: (facts) => told.push([name, "opened", facts]),
      closed: (facts) => told.push([name, "closed", facts]),
    });
    const table = new ConnectionTable({ watchers: [watcher("first"), watcher("second")] });
    const entry = table.open(metadata, new Handle());
    assert.deepEqual(told.splice(0), [
      ["first", "opened", metadata],
      ["second", "opened", metadata],
    ]);
    table.close(entry.id);
    assert.deepEqual(told, []);
    entry[Symbol.dispose]();
    entry[Symbol.dispose]();
    assert.deepEqual(told, [
      ["first", "closed", metadata],
      ["second", "closed", metadata],
    ]);
  });

  it("find the table as it is by then", () => {
    const sizes: number[] = [];
    const note = (): void => {
      sizes.push(table.size);
    };
    const table = new ConnectionTable({ watchers: [{ opened: note, closed: note }] });
    table.open(metadata, new Handle())[Symbol.dispose]();
    assert.deepEqual(sizes, [1, 0]);
  });
});

describe("A connection in a ConnectionTable", () => {
  it("shows what a relay has moved while it is open, and is closed on both sides", io, async (t) => {
    const table = new ConnectionTable();
    const [client, remote] = [await socketPair(t), await socketPair(t)];
    const tally = new RelayTally();
    const close = () => {
      resetConnection(client.server);
    };
    const entry = table.open(metadata, { moved: tally, close });
    const { up, down, sinks } = createTallies();
    const done = relay(client.server, remote.server, { ...sinks, tally }).then(() => {
      entry[Symbol.dispose]();
    });
    const endings = [client.client, remote.client].map(async (socket) => endingOf(socket.resume()));
    client.client.write(Buffer.alloc(300));
    remote.client.write(Buffer.alloc(5_000));
    await Promise.all([up.reached(300), down.reached(5_000)]);
    const { uplinkBytes, downlinkBytes } = table.get(entry.id) ?? assert.fail("it is not in the table");
    assert.deepEqual([uplinkBytes, downlinkBytes], [300, 5_000]);
    assert.equal(table.close(entry.id), true);
    assert.deepEqual(await Promise.all(endings), ["reset", "reset"]);
    await done;
    assert.equal(table.size, 0);
  });

  it("can have its bytes from sinks, where nobody keeps sums", io, async (t) => {
    const table = new ConnectionTable();
    const { client, server: socket } = await socketPair(t);
    const moved = { uplinkBytes: 0, downlinkBytes: 0 };
    const connection = countConnection(socket, {
      uplink: [{ add: (bytes) => (moved.uplinkBytes += bytes) }],
      downlink: [{ add: (bytes) => (moved.downlinkBytes += bytes) }],
    });
    const entry = table.open(metadata, { moved, close: () => socket.destroy() });
    socket.once("close", () => {
      entry[Symbol.dispose]();
    });
    const readings = [readAll(client), readAll(connection)];
    client.end("question");
    connection.write("answers");
    await readings[1];
    const { uplinkBytes, downlinkBytes } = table.get(entry.id) ?? assert.fail("it is not in the table");
    assert.deepEqual([uplinkBytes, downlinkBytes], [8, 7]);
    assert.equal(table.close(entry.id), true);
    await Promise.all([closed(client), readings[0]]);
    assert.equal(table.size, 0);
  });
});
