import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as full from "../src/index.js";
import * as entry from "../src/stats-entry.js";
import { readAll } from "./helpers/bytes.js";
import { socketPair } from "./helpers/sockets.js";
import { closed } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const metadata: entry.ConnectionMetadata = {
  inbound: "echo",
  outbound: "none",
  user: "alice",
  network: "tcp",
  source: { host: "127.0.0.1", port: 1 },
  destination: { host: "localhost", port: 7 },
  rule: "final",
};

describe("v2ray-api/stats", () => {
  it("counts a socket of a server of one's own into a store", io, async (t) => {
    const store = new entry.CounterStore();
    const tracker = entry.chainTrackers([
      new entry.StatsTracker(store, { inbounds: ["echo"] }),
      new entry.StatsTracker(store, { users: ["alice"] }),
    ]);
    const { client, server } = await socketPair(t);
    const connection = tracker.routedConnection(server, metadata);
    connection.end("hello");
    client.end("abc");
    assert.equal((await readAll(client)).toString(), "hello");
    assert.equal((await readAll(connection)).toString(), "abc");
    await closed(connection);
    assert.deepEqual(
      [...store.query(() => true)].map(({ name, counter }) => [name, counter.value]),
      [
        ["inbound>>>echo>>>traffic>>>uplink", 3n],
        ["inbound>>>echo>>>traffic>>>downlink", 5n],
        ["user>>>alice>>>traffic>>>uplink", 3n],
        ["user>>>alice>>>traffic>>>downlink", 5n],
      ],
    );
  });

  it("counts a socket into a sink that is no counter", io, async (t) => {
    const { client, server } = await socketPair(t);
    const noted: number[] = [];
    const sink: entry.ByteSink = { add: (bytes) => noted.push(bytes) };
    const connection = entry.countConnection(server, { uplink: [sink], downlink: [] });
    client.end("abc");
    assert.equal((await readAll(connection)).toString(), "abc");
    assert.deepEqual(noted, [3]);
    assert.equal(entry.unwrapConnection(connection).connection, connection);
  });

  it("writes and reads the names of counters", () => {
    const name = { scope: "user", tag: "alice", direction: "uplink" } as const;
    assert.equal(entry.formatStatName(name), "user>>>alice>>>traffic>>>uplink");
    assert.deepEqual(entry.parseStatName("user>>>alice>>>traffic>>>uplink"), name);
  });

  it("has nothing that v2ray-api has not", () => {
    const fullByName: Readonly<Record<string, unknown>> = full;
    for (const [name, value] of Object.entries(entry)) assert.equal(value, fullByName[name], name);
    assert.deepEqual(Object.keys(entry), [
      "ConnectionTable",
      "Counter",
      "CounterStore",
      "OnlineUsers",
      "StatsTracker",
      "chainTrackers",
      "countConnection",
      "countPacketConnection",
      "formatStatName",
      "parseStatName",
      "unwrapConnection",
    ]);
  });
});
