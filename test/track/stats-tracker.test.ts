import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { unwrapConnection } from "../../src/net/counting-connection.js";
import { createPipe } from "../../src/net/pipe.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { chainTrackers, type ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import { readAll } from "../helpers/bytes.js";
import { connectionKinds } from "../helpers/connections.js";
import { MemoryPackets } from "../helpers/memory-packets.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

const io = { timeout: 10_000 };
const everything = (): boolean => true;

const metadata: ConnectionMetadata = {
  inbound: "socks",
  outbound: "direct",
  user: "alice",
  network: "tcp",
  source: { host: "127.0.0.1", port: 1 },
  destination: { host: "a.test", port: 2 },
  rule: "final",
};

const sixZeros: Readonly<Record<string, bigint>> = {
  "inbound>>>socks>>>traffic>>>uplink": 0n,
  "inbound>>>socks>>>traffic>>>downlink": 0n,
  "outbound>>>direct>>>traffic>>>uplink": 0n,
  "outbound>>>direct>>>traffic>>>downlink": 0n,
  "user>>>alice>>>traffic>>>uplink": 0n,
  "user>>>alice>>>traffic>>>downlink": 0n,
};

function values(store: CounterStore): Record<string, bigint> {
  return Object.fromEntries([...store.query(everything)].map(({ name, counter }) => [name, counter.value]));
}

const unlisted = [
  ["nothing is listed", {}],
  ["other names are listed", { inbounds: ["http"], outbounds: ["proxy"], users: ["bob"] }],
  [
    "its names are listed for something else",
    { inbounds: ["direct"], outbounds: ["alice"], users: ["socks"] },
  ],
  ["names are listed that begin or end alike", { inbounds: ["sock", "ocks"], users: ["Alice", "alice "] }],
] as const;

describe("StatsTracker", () => {
  for (const [when, options] of unlisted) {
    it(`returns the very same connection when ${when}`, () => {
      const store = new CounterStore();
      const connection = new PassThrough();
      assert.equal(new StatsTracker(store, options).routedConnection(connection, metadata), connection);
      assert.equal(store.size, 0);
    });
  }

  it("counts nothing unless it is told", () => {
    const store = new CounterStore();
    const connection = new PassThrough();
    assert.equal(new StatsTracker(store).routedConnection(connection, metadata), connection);
  });

  it("creates nothing before a connection is routed", () => {
    const store = new CounterStore();
    new StatsTracker(store, { inbounds: ["socks"], outbounds: ["direct"], users: ["alice"] });
    assert.equal(store.size, 0);
  });

  it("says who is to be told of a connection's bytes instead of wrapping it", () => {
    const store = new CounterStore();
    const lists = { inbounds: ["in"], outbounds: ["out"], users: ["alice"] };
    const tracker = new StatsTracker(store, lists);
    const { uplink, downlink } = tracker.routedSinks({
      ...metadata,
      inbound: "in",
      outbound: "out",
      user: "alice",
    });
    assert.deepEqual([uplink.length, downlink.length, store.size], [3, 3, 6]);
    for (const sink of uplink) sink.add(5);
    for (const sink of downlink) sink.add(7);
    for (const name of ["inbound>>>in", "outbound>>>out", "user>>>alice"]) {
      assert.equal(store.get(`${name}>>>traffic>>>uplink`)?.value, 5n);
      assert.equal(store.get(`${name}>>>traffic>>>downlink`)?.value, 7n);
    }
    const nobody = new StatsTracker(store).routedSinks(metadata);
    assert.deepEqual(nobody, { uplink: [], downlink: [] });
  });

  it("creates the six counters at zero as soon as the connection is routed", () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["socks"], outbounds: ["direct"], users: ["alice"] });
    const connection = new PassThrough();
    const wrapper = tracker.routedConnection(connection, metadata);
    assert.notEqual(wrapper, connection);
    assert.deepEqual(values(store), sixZeros);
    wrapper.destroy();
  });

  for (const [kind, connected] of connectionKinds) {
    it(`lets inbound, outbound and user agree on the bytes of a ${kind}`, io, async (t) => {
      const store = new CounterStore();
      const tracker = new StatsTracker(store, {
        inbounds: ["socks"],
        outbounds: ["direct"],
        users: ["alice"],
      });
      const { ours, peer } = await connected(t);
      const wrapper = tracker.routedConnection(ours, metadata);
      const readings = [readAll(wrapper), readAll(peer)];
      peer.end(Buffer.alloc(200_001));
      wrapper.end(Buffer.alloc(300_002));
      await Promise.all(readings);
      for (const subject of ["inbound>>>socks", "outbound>>>direct", "user>>>alice"]) {
        assert.equal(store.get(`${subject}>>>traffic>>>uplink`)?.value, 200_001n);
        assert.equal(store.get(`${subject}>>>traffic>>>downlink`)?.value, 300_002n);
      }
    });
  }

  const partly = [
    [{ inbounds: ["socks"] }, ["inbound>>>socks"]],
    [{ outbounds: ["direct"] }, ["outbound>>>direct"]],
    [{ users: ["alice"] }, ["user>>>alice"]],
    [{ inbounds: ["socks", "socks"], users: ["bob", "alice"] }, ["inbound>>>socks", "user>>>alice"]],
  ] as const;
  for (const [options, subjects] of partly) {
    it(`counts only ${subjects.join(" and ")} when only that is listed`, io, async () => {
      const store = new CounterStore();
      const [ours, peer] = createPipe();
      const wrapper = new StatsTracker(store, options).routedConnection(ours, metadata);
      const readings = [readAll(wrapper), readAll(peer)];
      peer.end("12345");
      wrapper.end("123");
      await Promise.all(readings);
      assert.deepEqual(
        values(store),
        Object.fromEntries(
          subjects.flatMap((subject) => [
            [`${subject}>>>traffic>>>uplink`, 5n],
            [`${subject}>>>traffic>>>downlink`, 3n],
          ]),
        ),
      );
    });
  }

  it("adds the connections of one user up", io, async () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { users: ["alice"] });
    for (const inbound of ["socks", "http"]) {
      const [ours, peer] = createPipe();
      const wrapper = tracker.routedConnection(ours, { ...metadata, inbound });
      peer.end("12345");
      wrapper.end();
      peer.resume();
      await readAll(wrapper);
    }
    assert.equal(store.get("user>>>alice>>>traffic>>>uplink")?.value, 10n);
  });

  for (const user of [undefined, "bob", ""]) {
    it(`does not count a user ${JSON.stringify(user)} that is not listed, but the rest`, () => {
      const store = new CounterStore();
      const tracker = new StatsTracker(store, { inbounds: ["socks"], users: ["alice", "undefined"] });
      tracker.routedConnection(new PassThrough(), { ...metadata, user }).destroy();
      assert.deepEqual(Object.keys(values(store)), [
        "inbound>>>socks>>>traffic>>>uplink",
        "inbound>>>socks>>>traffic>>>downlink",
      ]);
    });
  }

  const bad = [
    { inbounds: ["a>>>b"] },
    { outbounds: ["ok", "a>>>b"] },
    { users: [">>>"] },
    { users: ["bob>"] },
  ];
  for (const options of bad) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => new StatsTracker(new CounterStore(), options), RangeError);
    });
  }

  it("does not mind a user that it does not count and could not name", () => {
    const connection = new PassThrough();
    const tracker = new StatsTracker(new CounterStore(), { users: ["alice"] });
    assert.equal(tracker.routedConnection(connection, { ...metadata, user: "a>>>b" }), connection);
  });

  it("keeps its lists when the caller changes theirs", () => {
    const users = ["alice"];
    const tracker = new StatsTracker(new CounterStore(), { users });
    users.pop();
    const connection = new PassThrough();
    assert.notEqual(tracker.routedConnection(connection, metadata), connection);
  });

  it("can be unwrapped to its counters, chained too", () => {
    const store = new CounterStore();
    const trackers = [
      new StatsTracker(store, { inbounds: ["socks"] }),
      new StatsTracker(store, { users: ["alice"] }),
    ];
    const inner = new PassThrough();
    const { connection, uplink, downlink } = unwrapConnection(
      chainTrackers(trackers).routedConnection(inner, metadata),
    );
    assert.equal(connection, inner);
    for (const sink of uplink) sink.add(5);
    for (const sink of downlink) sink.add(3);
    assert.deepEqual(values(store), {
      "inbound>>>socks>>>traffic>>>uplink": 5n,
      "inbound>>>socks>>>traffic>>>downlink": 3n,
      "user>>>alice>>>traffic>>>uplink": 5n,
      "user>>>alice>>>traffic>>>downlink": 3n,
    });
  });
});

/** Has a connection routed that nobody uses. */
function route(tracker: StatsTracker, facts: Partial<ConnectionMetadata> = {}): void {
  tracker.routedConnection(new PassThrough(), { ...metadata, ...facts }).destroy();
}

function subjectsIn(store: CounterStore): string[] {
  const names = Array.from(store.query(everything), ({ name }) => name.replace(/>>>traffic>>>.*$/, ""));
  return [...new Set(names)];
}

describe("StatsTracker's wildcard", () => {
  const all = ["inbound>>>socks", "outbound>>>direct", "user>>>alice"] as const;
  const cases = [
    [{ inbounds: ["*"] }, [all[0]]],
    [{ outbounds: ["*"] }, [all[1]]],
    [{ users: ["*"] }, [all[2]]],
    [{ inbounds: ["*"], outbounds: ["*"], users: ["*"] }, all],
    [{ inbounds: ["http"], users: ["bob", "*"] }, [all[2]]],
    [{ outbounds: ["direct", "*", "*"] }, [all[1]]],
  ] as const;
  for (const [options, subjects] of cases) {
    it(`counts ${subjects.join(", ")} with ${JSON.stringify(options)}`, () => {
      const store = new CounterStore();
      route(new StatsTracker(store, options));
      assert.deepEqual(subjectsIn(store), subjects);
      assert.equal(store.size, subjects.length * 2);
    });
  }

  it("counts each user apart, the bytes of all their connections", io, async () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { users: ["*"] });
    for (const user of ["alice", "bob", "alice"]) {
      const [ours, peer] = createPipe();
      const wrapper = tracker.routedConnection(ours, { ...metadata, user });
      peer.end("12345");
      wrapper.end("123");
      await Promise.all([readAll(wrapper), readAll(peer)]);
    }
    assert.deepEqual(values(store), {
      "user>>>alice>>>traffic>>>uplink": 10n,
      "user>>>alice>>>traffic>>>downlink": 6n,
      "user>>>bob>>>traffic>>>uplink": 5n,
      "user>>>bob>>>traffic>>>downlink": 3n,
    });
  });

  for (const user of [undefined, ""]) {
    it(`counts nobody whose name is ${JSON.stringify(user)}`, () => {
      const store = new CounterStore();
      const connection = new PassThrough();
      const tracker = new StatsTracker(store, { users: ["*"] });
      assert.equal(tracker.routedConnection(connection, { ...metadata, user }), connection);
      assert.equal(store.size, 0);
    });
  }

  it("is no pattern: only alone is it one", () => {
    const store = new CounterStore();
    route(new StatsTracker(store, { users: ["ali*", "**", "*ice"] }));
    assert.equal(store.size, 0);
  });

  it("counts what is called so itself, among all others", () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { users: ["*"] });
    for (const user of ["*", "alice"]) route(tracker, { user });
    assert.deepEqual(subjectsIn(store), ["user>>>*", "user>>>alice"]);
  });

  it("does not count what no counter can be named after, says so once, and counts the rest", () => {
    const store = new CounterStore();
    const logger = new RecordingLogger();
    const tracker = new StatsTracker(store, { inbounds: ["*"], users: ["*"], logger });
    for (const user of ["a>>>b", "bob>", "alice"]) route(tracker, { user });
    assert.deepEqual(subjectsIn(store), ["inbound>>>socks", "user>>>alice"]);
    assert.deepEqual(logger.lines, [
      {
        level: "warn",
        message: "not counted; others may follow",
        fields: {
          user: "a>>>b",
          reason: 'what contains ">>>" or ends with ">" cannot be in the name of a counter',
        },
      },
    ]);
  });
});

describe("StatsTracker with a store that is full", () => {
  const lists = { inbounds: ["*"], outbounds: ["*"], users: ["*"] };

  const firsts = [
    [2, { outbound: "direct" }, ["inbound>>>socks"]],
    [4, { user: "alice" }, ["inbound>>>socks", "outbound>>>direct"]],
    // One counter is left, but they come in pairs.
    [5, { user: "alice" }, ["inbound>>>socks", "outbound>>>direct"]],
  ] as const;
  for (const [maxCounters, first, counted] of firsts) {
    it(`counts what there is room for, and names the first that there is not: ${JSON.stringify(first)}`, () => {
      const store = new CounterStore({ maxCounters });
      const logger = new RecordingLogger();
      const tracker = new StatsTracker(store, { ...lists, logger });
      for (const user of ["alice", "bob", "carol"]) route(tracker, { user });
      assert.deepEqual(subjectsIn(store), counted);
      assert.equal(store.size, counted.length * 2);
      assert.deepEqual(logger.lines, [
        {
          level: "warn",
          message: "not counted; others may follow",
          fields: {
            ...first,
            reason:
              `there may be no more than ${maxCounters} counters; for more, raise ` +
              '"experimental.v2ray_api.stats.max_counters" (in a program: maxCounters of the CounterStore)',
          },
        },
      ]);
    });
  }

  it("returns the very same connection when there is room for nothing of it", () => {
    const store = new CounterStore({ maxCounters: 2 });
    const tracker = new StatsTracker(store, { users: ["*"] });
    route(tracker, { user: "alice" });
    const connection = new PassThrough();
    assert.equal(tracker.routedConnection(connection, { ...metadata, user: "bob" }), connection);
    assert.equal(store.size, 2);
  });

  it("goes on to count whom it counted before", io, async () => {
    const store = new CounterStore({ maxCounters: 4 });
    const tracker = new StatsTracker(store, { inbounds: ["socks"], users: ["*"] });
    for (const user of ["alice", "bob", "alice"]) {
      const [ours, peer] = createPipe();
      const wrapper = tracker.routedConnection(ours, { ...metadata, user });
      peer.end("12345");
      wrapper.end("123");
      const [read] = await Promise.all([readAll(wrapper), readAll(peer)]);
      assert.equal(read.toString(), "12345");
    }
    assert.deepEqual(values(store), {
      "inbound>>>socks>>>traffic>>>uplink": 15n,
      "inbound>>>socks>>>traffic>>>downlink": 9n,
      "user>>>alice>>>traffic>>>uplink": 10n,
      "user>>>alice>>>traffic>>>downlink": 6n,
    });
  });

  it("says nothing as long as there is room, to the last counter", () => {
    const store = new CounterStore({ maxCounters: 6 });
    const logger = new RecordingLogger();
    const tracker = new StatsTracker(store, { ...lists, logger });
    for (let round = 0; round < 3; round++) route(tracker);
    assert.equal(store.size, 6);
    assert.deepEqual(logger.lines, []);
  });

  it("is silent without a logger", () => {
    const tracker = new StatsTracker(new CounterStore({ maxCounters: 2 }), lists);
    assert.doesNotThrow(() => {
      route(tracker);
    });
  });
});

describe("StatsTracker of packet connections", () => {
  const packetMetadata: ConnectionMetadata = { ...metadata, network: "udp" };
  const somewhere = { host: "192.0.2.1", port: 53 };

  for (const [when, options] of unlisted) {
    it(`returns the very same connection when ${when}`, () => {
      const store = new CounterStore();
      const packets = new MemoryPackets();
      assert.equal(new StatsTracker(store, options).routedPacketConnection(packets, packetMetadata), packets);
      assert.equal(store.size, 0);
    });
  }

  it("creates the six counters at zero as soon as the connection is routed", () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["socks"], outbounds: ["direct"], users: ["alice"] });
    const packets = new MemoryPackets();
    assert.notEqual(tracker.routedPacketConnection(packets, packetMetadata), packets);
    assert.deepEqual(values(store), sixZeros);
    assert.equal(packets.isReceived, false);
  });

  it("lets inbound, outbound and user agree on the payload that came, and that was sent", () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { inbounds: ["socks"], outbounds: ["direct"], users: ["alice"] });
    const packets = new MemoryPackets();
    const wrapper = tracker.routedPacketConnection(packets, packetMetadata);
    wrapper.receive(() => undefined);
    packets.deliver(Buffer.alloc(1_200), somewhere);
    packets.deliver("", somewhere);
    wrapper.send(Buffer.alloc(500), somewhere);
    packets.failure = new Error("dropped");
    wrapper.send(Buffer.alloc(70_000), somewhere);
    const counted = Object.keys(sixZeros).map((name) => [name, name.endsWith("uplink") ? 1_200n : 500n]);
    assert.deepEqual(values(store), Object.fromEntries(counted));
  });

  it("adds packets and streams of one user up, whatever outbound they take", async () => {
    const store = new CounterStore();
    const tracker = new StatsTracker(store, { outbounds: ["direct"], users: ["alice"] });
    for (const outbound of ["direct", "other"]) {
      const packets = new MemoryPackets();
      const wrapper = tracker.routedPacketConnection(packets, { ...packetMetadata, outbound });
      wrapper.receive(() => undefined);
      packets.deliver("12345", somewhere);
    }
    const [ours, peer] = createPipe();
    const stream = tracker.routedConnection(ours, metadata);
    peer.end("123");
    peer.resume();
    await readAll(stream);
    stream.end();
    assert.equal(store.get("user>>>alice>>>traffic>>>uplink")?.value, 13n);
    assert.equal(store.get("outbound>>>direct>>>traffic>>>uplink")?.value, 8n);
  });
});
