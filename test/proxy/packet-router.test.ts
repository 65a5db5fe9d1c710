import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialError } from "../../src/net/dial-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import type { BlockOutbound, DialingOutbound, Outbound, PacketOutbound } from "../../src/proxy/outbound.js";
import { PacketRouter } from "../../src/proxy/packet-router.js";
import { Routes } from "../../src/proxy/routes.js";
import type { Rule } from "../../src/proxy/rules/rule.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { ConnectionTable } from "../../src/track/connection-table.js";
import type { ConnectionTracker } from "../../src/track/connection-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import { ruleTo } from "../helpers/destination-rule.js";
import { MemoryOutbound } from "../helpers/memory-outbound.js";
import { MemoryPackets } from "../helpers/memory-packets.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { RecordingTracker } from "../helpers/recording-tracker.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const source: Endpoint = { host: "192.0.2.7", port: 50_000 };
const dns: Endpoint = { host: "192.0.2.1", port: 53 };
const web: Endpoint = { host: "example.com", port: 443 };
const block: BlockOutbound = { tag: "block", blocks: true };
const tcpOnly: DialingOutbound = {
  tag: "tcp-only",
  blocks: false,
  dial: async () => Promise.reject(new DialError("failed", "no")),
};

interface RoutedOptions {
  readonly rules?: readonly Rule[];
  readonly final: Outbound;
  readonly tracker?: ConnectionTracker;
  readonly user?: string;
}

/** A client whose packets are being routed. */
interface Routed {
  readonly client: MemoryPackets;
  readonly routes: Routes;
  readonly connections: ConnectionTable;
  readonly logger: RecordingLogger;
  readonly over: Promise<void>;
}

function route({ rules = [], final, tracker = new RecordingTracker(), user }: RoutedOptions): Routed {
  const client = new MemoryPackets();
  const logger = new RecordingLogger();
  const routes = new Routes({ rules, final });
  const connections = new ConnectionTable();
  const router = new PacketRouter({ routes, tracker, connections, logger });
  const over = router.route({ inbound: "in", client, user, source });
  return { client, routes, connections, logger, over };
}

/** Counts everything that the tests name. */
function countEverything(): {
  readonly tracker: StatsTracker;
  readonly values: () => Record<string, string>;
} {
  const store = new CounterStore();
  const outbounds = ["out", "one", "two", block.tag, tcpOnly.tag];
  const tracker = new StatsTracker(store, { inbounds: ["in"], outbounds, users: ["alice"] });
  /** By subject: bytes up and down. */
  const values = (): Record<string, string> => {
    const found: Record<string, string> = {};
    for (const { name, counter } of store.query(() => true)) {
      const [scope = "", tag = ""] = name.split(">>>");
      const before = found[`${scope} ${tag}`];
      found[`${scope} ${tag}`] = before === undefined ? `${counter.value}` : `${before} ${counter.value}`;
    }
    return found;
  };
  return { tracker, values };
}

function textsTo(remote: MemoryPackets): readonly string[] {
  return remote.sent.map(
    ({ payload, endpoint }) => `${payload.toString()} ${endpoint.host}:${endpoint.port}`,
  );
}

describe("PacketRouter", () => {
  for (const user of ["alice", undefined]) {
    it(`tells the tracker who sends packets where: user ${String(user)}`, io, async () => {
      const tracker = new RecordingTracker();
      const { client, over } = route({ final: new MemoryOutbound(), tracker, ...(user && { user }) });
      client.deliver("hello", dns);
      client.close();
      await over;
      const facts = { inbound: "in", outbound: "out", user, network: "udp", rule: "final" };
      assert.deepEqual(tracker.told, [{ ...facts, source, destination: dns }]);
    });
  }

  it("tracks and dials nothing before the first packet", io, async () => {
    const tracker = new RecordingTracker();
    const final = new MemoryOutbound();
    const { client, logger, over } = route({ final, tracker });
    await turns(3);
    client.close();
    await over;
    assert.deepEqual([tracker.told, final.signals, logger.lines], [[], [], []]);
  });

  it("tracks before it dials, and both once for all packets", io, async () => {
    const final = new MemoryOutbound();
    const dialledBefore: number[] = [];
    const tracker = new RecordingTracker((connection) => {
      dialledBefore.push(final.signals.length);
      return connection;
    });
    const { client, over } = route({ final, tracker });
    for (const to of [dns, web, dns]) client.deliver("x", to);
    await final.remote.sentCount(3);
    client.close();
    await over;
    assert.deepEqual(dialledBefore, [0]);
    assert.equal(final.signals.length, 1);
  });

  it("carries packets to where each is for, and back with where each comes from", io, async () => {
    const final = new MemoryOutbound();
    const { client } = route({ final });
    client.deliver("one", dns);
    client.deliver("two", web);
    client.deliver("", dns);
    await final.remote.sentCount(3);
    assert.deepEqual(textsTo(final.remote), ["one 192.0.2.1:53", "two example.com:443", " 192.0.2.1:53"]);
    final.remote.deliver("answer", dns);
    final.remote.deliver("", { host: "::1", port: 443 });
    assert.deepEqual(textsTo(client), ["answer 192.0.2.1:53", " ::1:443"]);
  });

  it("joins what the tracker returns, not what it was given", io, async () => {
    const final = new MemoryOutbound();
    const wrapper = new MemoryPackets();
    let given: PacketConnection | undefined;
    const tracker = new RecordingTracker((connection) => {
      given = connection;
      return wrapper;
    });
    const { client } = route({ final, tracker });
    client.deliver("first", dns);
    await final.dialledCount(1);
    await turns(2);
    assert.notEqual(given, undefined);
    wrapper.deliver("from the wrapper", web);
    final.remote.deliver("answer", web);
    assert.deepEqual(textsTo(final.remote), ["from the wrapper example.com:443"]);
    assert.deepEqual(textsTo(wrapper), ["answer example.com:443"]);
  });

  it(
    "says once what the connection was when it is over, and to who looks closer that it began",
    io,
    async () => {
      const { client, logger, over } = route({ final: new MemoryOutbound(), user: "alice" });
      for (const to of [dns, web, dns]) client.deliver("x", to);
      client.close();
      await over;
      const facts = { inbound: "in", outbound: "out", user: "alice", network: "udp", rule: "final" };
      const fields = { id: 1, ...facts, source: "192.0.2.7:50000", destination: "192.0.2.1:53" };
      const [opened, end, ...others] = logger.lines;
      assert.deepEqual(opened, { level: "debug", message: "connection opened", fields });
      assert.deepEqual([end?.level, end?.message], ["info", "connection closed"]);
      const { duration_ms, ...rest } = end?.fields ?? {};
      assert.ok(Number.isSafeInteger(duration_ms));
      assert.deepEqual(rest, { ...fields, uplink_bytes: 3, downlink_bytes: 0 });
      assert.deepEqual(others, []);
    },
  );

  it("counts the payload of each packet, both ways, for inbound, outbound and user alike", io, async () => {
    const final = new MemoryOutbound();
    const { tracker, values } = countEverything();
    const { client, over } = route({ final, tracker, user: "alice" });
    for (const bytes of [0, 1, 1_200, 65_507]) client.deliver(Buffer.alloc(bytes), dns);
    await final.remote.sentCount(4);
    for (const bytes of [0, 7, 65_507]) final.remote.deliver(Buffer.alloc(bytes), dns);
    client.close();
    await over;
    const moved = "66708 65514";
    assert.deepEqual(values(), { "inbound in": moved, "outbound out": moved, "user alice": moved });
  });
});

describe("PacketRouter's choice", () => {
  it("sends packets of one client through different outbounds, each with its own counters", io, async () => {
    const [one, two] = [new MemoryOutbound({ tag: "one" }), new MemoryOutbound({ tag: "two" })];
    const { tracker, values } = countEverything();
    const { client, over } = route({ rules: [ruleTo(dns, one).rule], final: two, tracker, user: "alice" });
    client.deliver("1", dns);
    client.deliver("22", web);
    client.deliver("333", dns);
    await one.remote.sentCount(2);
    await two.remote.sentCount(1);
    assert.deepEqual(textsTo(one.remote), ["1 192.0.2.1:53", "333 192.0.2.1:53"]);
    assert.deepEqual(textsTo(two.remote), ["22 example.com:443"]);
    one.remote.deliver("55555", dns);
    two.remote.deliver("666666", web);
    assert.deepEqual(textsTo(client), ["55555 192.0.2.1:53", "666666 example.com:443"]);
    client.close();
    await over;
    const total = "6 11";
    assert.deepEqual(values(), {
      ...{ "inbound in": total, "user alice": total },
      ...{ "outbound one": "4 5", "outbound two": "2 6" },
    });
  });

  it("is told to the tracker by outbound, each with its first destination and its rule", io, async () => {
    const [one, two] = [new MemoryOutbound({ tag: "one" }), new MemoryOutbound({ tag: "two" })];
    const tracker = new RecordingTracker();
    const { client, over } = route({ rules: [ruleTo(dns, one).rule], final: two, tracker });
    for (const to of [web, dns, { host: "192.0.2.2", port: 123 }, dns]) client.deliver("x", to);
    client.close();
    await over;
    const facts = { inbound: "in", user: undefined, network: "udp", source };
    assert.deepEqual(tracker.told, [
      { ...facts, outbound: "two", destination: web, rule: "final" },
      { ...facts, outbound: "one", destination: dns, rule: "rules[0]" },
    ]);
  });

  it("is asked for with all that is known of a packet", io, () => {
    const { rule, asked } = ruleTo(dns, block);
    const { client } = route({ rules: [rule], final: new MemoryOutbound(), user: "alice" });
    client.deliver("x", web);
    assert.deepEqual(asked, [{ inbound: "in", user: "alice", network: "udp", source, destination: web }]);
    client.close();
  });

  it("is asked for when the destination is another than that of the packet before", io, () => {
    const { rule, asked } = ruleTo(dns, block);
    const { client } = route({ rules: [rule], final: new MemoryOutbound() });
    const otherPort = { ...web, port: 80 };
    const otherHost = { ...web, host: "example.net" };
    const sent = [web, web, { ...web }, otherPort, otherPort, web, otherHost, web];
    for (const to of sent) client.deliver("x", to);
    const destinations = asked.map(({ destination }) => destination);
    assert.deepEqual(destinations, [web, otherPort, web, otherHost, web]);
    client.close();
  });
});

describe("PacketRouter's choice by other rules", () => {
  /** The outbounds of the connections that are open. */
  function openIn({ connections }: Routed): readonly string[] {
    return connections.list().map(({ metadata }) => metadata.outbound);
  }

  it(
    "ends, with the next packet, the connections by outbounds that no rule leads to any more",
    io,
    async () => {
      const [gone, kept] = [new MemoryOutbound({ tag: "gone" }), new MemoryOutbound({ tag: "kept" })];
      const next = new MemoryOutbound({ tag: "next" });
      const routed = route({ rules: [ruleTo(dns, gone).rule], final: kept });
      const { client, routes, logger, over } = routed;
      client.deliver("one", dns);
      client.deliver("two", web);
      await gone.remote.sentCount(1);
      routes.replaceBy({ rules: [ruleTo(dns, next).rule], final: kept });
      gone.remote.deliver("late", dns);
      assert.deepEqual(textsTo(client), ["late 192.0.2.1:53"]);
      assert.deepEqual(openIn(routed), ["gone", "kept"]);

      client.deliver("three", web);
      await gone.remote.closed;
      await turns(3);
      assert.deepEqual(openIn(routed), ["kept"]);
      const ends = logger.lines.filter(({ message }) => message === "connection closed");
      assert.deepEqual(
        ends.map(({ fields }) => [
          fields?.["outbound"],
          fields?.["uplink_bytes"],
          fields?.["downlink_bytes"],
        ]),
        [["gone", 3, 4]],
      );
      client.deliver("four", dns);
      await next.remote.sentCount(1);
      assert.deepEqual(openIn(routed), ["kept", "next"]);
      client.close();
      await over;
      assert.deepEqual(openIn(routed), []);
    },
  );

  it("leaves alone those to which another rule leads", io, async () => {
    const [one, two] = [new MemoryOutbound({ tag: "one" }), new MemoryOutbound({ tag: "two" })];
    const { client, routes, over } = route({ rules: [ruleTo(dns, one).rule], final: two });
    client.deliver("1", dns);
    client.deliver("2", web);
    routes.replaceBy({ rules: [ruleTo(dns, two).rule], final: one });
    client.deliver("3", dns);
    client.deliver("4", web);
    await Promise.all([one.remote.sentCount(2), two.remote.sentCount(2)]);
    assert.deepEqual([one.signals.length, two.signals.length], [1, 1]);
    client.close();
    await over;
  });

  it("opens another one at once by an outbound that has come back", io, async () => {
    const final = new MemoryOutbound();
    const { client, routes, logger, over } = route({ final });
    client.deliver("one", dns);
    routes.replaceBy({ final: block });
    client.deliver("two", dns);
    routes.replaceBy({ final });
    client.deliver("three", dns);
    await final.dialledCount(2);
    await final.remotes[1]?.sentCount(1);
    await turns(3);
    // The end of the first one is nothing to the second.
    client.deliver("four", dns);
    assert.deepEqual(
      final.remotes.map((remote) => textsTo(remote).map((text) => text.split(" ")[0])),
      [["one"], ["three", "four"]],
    );
    assert.equal(logger.lines.filter(({ message }) => message === "connection closed").length, 1);
    client.close();
    await over;
  });

  it("sends what still waits for an outbound that is gone, once that has been dialled", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const routed = route({ final });
    const { client, routes, over } = routed;
    client.deliver("one", dns);
    routes.replaceBy({ final: block });
    client.deliver("two", dns);
    final.open();
    await final.remote.closed;
    assert.deepEqual(textsTo(final.remote), ["one 192.0.2.1:53"]);
    client.close();
    await over;
    assert.deepEqual(openIn(routed), []);
  });
});

describe("PacketRouter's drop", () => {
  const nowhere: readonly (readonly [outbound: Outbound, reason: string])[] = [
    [block, "blocked by the proxy's rules"],
    [tcpOnly, "outbound tcp-only carries no packets"],
  ];
  for (const [outbound, reason] of nowhere) {
    it(
      `of what is for the outbound ${outbound.tag} tracks nothing, and is worth a line to people once`,
      io,
      async () => {
        const tracker = new RecordingTracker();
        const { client, logger, over } = route({ final: outbound, tracker, user: "alice" });
        client.deliver("hello", dns);
        client.deliver("", web);
        client.deliver("again", dns);
        client.close();
        await over;
        const facts = { inbound: "in", user: "alice", source: "192.0.2.7:50000" };
        const lines = [
          ["info", { ...facts, endpoint: "192.0.2.1:53", bytes: 5, reason }],
          ["debug", { ...facts, endpoint: "example.com:443", bytes: 0, reason }],
          ["debug", { ...facts, endpoint: "192.0.2.1:53", bytes: 5, reason }],
        ] as const;
        const expected = lines.map(([level, fields]) => ({ level, message: "packet dropped", fields }));
        assert.deepEqual(logger.lines, expected);
        assert.deepEqual(tracker.told, []);
      },
    );

    it(
      `of what is for the outbound ${outbound.tag} leaves the client's other packets alone`,
      io,
      async () => {
        const final = new MemoryOutbound();
        const { tracker, values } = countEverything();
        const { client, over } = route({ rules: [ruleTo(dns, outbound).rule], final, tracker });
        for (const to of [dns, web, dns, web]) client.deliver("hello", to);
        await final.remote.sentCount(2);
        client.close();
        await over;
        assert.deepEqual(values(), { "inbound in": "10 0", "outbound out": "10 0" });
      },
    );
  }

  it("of what the outbound cannot send is told; the packet had been received, and counts", io, async () => {
    const final = new MemoryOutbound();
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker });
    client.deliver("one", dns);
    await final.remote.sentCount(1);
    final.remote.failure = new Error("send EMSGSIZE");
    client.deliver("three", web);
    final.remote.failure = undefined;
    client.deliver("seven", web);
    client.close();
    await over;
    const fields = logger.lines.find(({ message }) => message === "packet dropped")?.fields;
    assert.deepEqual(
      [fields?.["endpoint"], fields?.["bytes"], fields?.["reason"]],
      ["example.com:443", 5, "send EMSGSIZE"],
    );
    assert.deepEqual(textsTo(final.remote), ["one 192.0.2.1:53", "seven example.com:443"]);
    assert.deepEqual(values(), { "inbound in": "13 0", "outbound out": "13 0" });
  });

  it("of what cannot be sent to the client is told, and counts nothing", io, async () => {
    const final = new MemoryOutbound();
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker });
    client.deliver("one", dns);
    await final.remote.sentCount(1);
    client.failure = new Error("send EMSGSIZE");
    final.remote.deliver("too large", dns);
    client.failure = undefined;
    final.remote.deliver("fits", dns);
    client.close();
    await over;
    assert.deepEqual(logger.messages("info"), ["packet dropped", "connection closed"]);
    assert.deepEqual(textsTo(client), ["fits 192.0.2.1:53"]);
    assert.deepEqual(values(), { "inbound in": "3 4", "outbound out": "3 4" });
  });
});

describe("PacketRouter's dial", () => {
  it("lets packets wait, which arrive in order, before those that come later", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const { tracker, values } = countEverything();
    const { client, over } = route({ final, tracker });
    for (const text of ["one", "two", "three"]) client.deliver(text, dns);
    await turns(3);
    assert.equal(final.remote.sent.length, 0);
    assert.deepEqual(values(), { "inbound in": "0 0", "outbound out": "0 0" });
    final.open();
    await final.remote.sentCount(3);
    client.deliver("four", web);
    const texts = final.remote.sent.map(({ payload }) => payload.toString());
    assert.deepEqual(texts, ["one", "two", "three", "four"]);
    client.close();
    await over;
    assert.deepEqual(values(), { "inbound in": "15 0", "outbound out": "15 0" });
  });

  it("holds up nothing that leaves through another outbound", io, async () => {
    const [slow, final] = [new MemoryOutbound({ tag: "one", holds: true }), new MemoryOutbound()];
    const { client } = route({ rules: [ruleTo(dns, slow).rule], final });
    client.deliver("slow", dns);
    client.deliver("fast", web);
    await final.remote.sentCount(1);
    assert.deepEqual(slow.remote.sent, []);
    client.close();
  });

  it("lets 256 packets wait; further ones are dropped and count nothing", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker });
    for (let packet = 0; packet < 300; packet++) client.deliver("x", dns);
    final.open();
    await final.remote.sentCount(256);
    client.close();
    await over;
    assert.equal(final.remote.sent.length, 256);
    assert.deepEqual(values(), { "inbound in": "256 0", "outbound out": "256 0" });
    const dropped = logger.lines.filter(({ message }) => message === "packet dropped");
    assert.equal(dropped.length, 44);
    assert.equal(dropped[0]?.fields?.["reason"], "too many packets wait for the outbound");
    assert.deepEqual(new Set(dropped.slice(1).map(({ level }) => level)), new Set(["debug"]));
  });

  it("that fails leaves zeros, and the client alone", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker, user: "alice" });
    client.deliver("hello", dns);
    final.fail(new DialError("refused", "connect to upstream: refused"));
    await turns(3);
    assert.deepEqual(values(), { "inbound in": "0 0", "outbound out": "0 0", "user alice": "0 0" });
    assert.deepEqual(logger.failures(), ["connect to upstream: refused"]);
    client.close();
    await over;
  });

  it("that fails as nobody expected ends the client, and leaves zeros", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker, user: "alice" });
    client.deliver("hello", dns);
    final.fail(new TypeError("upstream is undefined"));
    await Promise.all([over, client.closed]);
    assert.deepEqual(values(), { "inbound in": "0 0", "outbound out": "0 0", "user alice": "0 0" });
    assert.deepEqual([logger.failures(), logger.messages("error").length], [["upstream is undefined"], 1]);
  });

  it("that fails is nothing to what leaves through other outbounds", io, async () => {
    const [bad, final] = [new MemoryOutbound({ tag: "one", holds: true }), new MemoryOutbound()];
    const { client, over } = route({ rules: [ruleTo(dns, bad).rule], final });
    client.deliver("good", web);
    client.deliver("bad", dns);
    await final.remote.sentCount(1);
    bad.fail(new DialError("refused", "no"));
    await turns(3);
    client.deliver("good again", web);
    await final.remote.sentCount(2);
    assert.equal(final.signals.length, 1);
    client.close();
    await Promise.all([over, final.remote.closed]);
  });

  it("is tried again with the next packet, but not within a second", io, async (t) => {
    const now = t.mock.method(performance, "now", () => 10_000);
    const final = new MemoryOutbound({ holds: true });
    const { client, logger, over } = route({ final });
    client.deliver("first", dns);
    final.fail(new DialError("refused", "no"));
    await turns(3);
    now.mock.mockImplementation(() => 10_999);
    client.deliver("too early", dns);
    assert.equal(final.signals.length, 1);
    const dropped = logger.lines.find(({ message }) => message === "packet dropped");
    assert.equal(dropped?.fields?.["reason"], "its outbound ended a moment ago");
    now.mock.mockImplementation(() => 11_000);
    client.deliver("in time", dns);
    assert.equal(final.signals.length, 2);
    final.open();
    await final.remotes[1]?.sentCount(1);
    client.close();
    await over;
  });

  it("is given up when the client is gone", io, async () => {
    const final = new MemoryOutbound({ holds: true });
    const { tracker, values } = countEverything();
    const { client, logger, over } = route({ final, tracker });
    client.deliver("hello", dns);
    assert.equal(final.signals[0]?.aborted, false);
    client.close();
    await over;
    assert.equal(final.signals[0].aborted, true);
    assert.deepEqual(values(), { "inbound in": "0 0", "outbound out": "0 0" });
    assert.deepEqual([logger.failures(), logger.messages("error")], [["given up"], []]);
  });

  it("that succeeds although the client is gone leaves nothing open", io, async () => {
    const remote = new MemoryPackets();
    let open: (remote: PacketConnection) => void = () => undefined;
    const dialPackets = async () => new Promise<PacketConnection>((resolve) => (open = resolve));
    const final: PacketOutbound = { ...tcpOnly, dialPackets };
    const { client, over } = route({ final });
    client.deliver("hello", dns);
    client.close();
    await turns(2);
    open(remote);
    await Promise.all([remote.closed, over]);
  });

  it("does not begin where the tracker fails, which ends the client", io, async () => {
    const final = new MemoryOutbound();
    const tracker = new RecordingTracker(() => {
      throw new Error("out of order");
    });
    const { client, logger, over } = route({ final, tracker });
    client.deliver("hello", dns);
    await Promise.all([client.closed, over]);
    assert.deepEqual(final.signals, []);
    assert.deepEqual([logger.failures(), logger.messages("error").length], [["out of order"], 1]);
  });
});

describe("PacketRouter's end", () => {
  it("comes when the client has closed, with that of all remotes", io, async () => {
    const [one, two] = [new MemoryOutbound({ tag: "one" }), new MemoryOutbound({ tag: "two" })];
    const { client, over } = route({ rules: [ruleTo(dns, one).rule], final: two });
    client.deliver("x", dns);
    client.deliver("x", web);
    await one.remote.sentCount(1);
    await two.remote.sentCount(1);
    let isOver = false;
    void over.then(() => (isOver = true));
    await turns(3);
    assert.equal(isOver, false);
    client.close();
    await Promise.all([one.remote.closed, two.remote.closed, over]);
  });

  it("does not come when one remote has closed, which is nothing to the others", io, async () => {
    const [one, two] = [new MemoryOutbound({ tag: "one" }), new MemoryOutbound({ tag: "two" })];
    const { client, logger, over } = route({ rules: [ruleTo(dns, one).rule], final: two });
    client.deliver("x", dns);
    client.deliver("x", web);
    await one.remote.sentCount(1);
    await two.remote.sentCount(1);
    one.remote.close();
    await turns(3);
    assert.deepEqual(logger.messages("info"), ["connection closed"]);
    client.deliver("y", web);
    await two.remote.sentCount(2);
    client.close();
    await Promise.all([two.remote.closed, over]);
    assert.deepEqual(logger.messages("info"), ["connection closed", "connection closed"]);
  });

  it("comes at once for a client that had closed before", io, async () => {
    const client = new MemoryPackets();
    client.close();
    const routes = new Routes({ final: new MemoryOutbound() });
    await new PacketRouter({ routes, tracker: new RecordingTracker() }).route({
      inbound: "in",
      client,
      source,
    });
  });
});
