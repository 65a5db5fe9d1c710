import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Code,
  ConnectError,
  createContextValues,
  createHandlerContext,
  type HandlerContext,
} from "@connectrpc/connect";
import { StatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import { createOnlineCalls } from "../../src/rpc/online-calls.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { ConnectionTable, type ConnectionEntry } from "../../src/track/connection-table.js";
import { OnlineUsers } from "../../src/track/online-users.js";
import { count, userUplink, valuesOf } from "../helpers/api-server.js";

const alice = userUplink("alice");
const name = "user>>>alice>>>online";

/** The calls over a store and a table of their own, and a context whose delivery the test decides about. */
function createTestCalls(signal?: AbortSignal) {
  const store = new CounterStore();
  const online = new OnlineUsers();
  const table = new ConnectionTable({ watchers: [online] });
  const undos: (() => void)[] = [];
  const context: HandlerContext = createHandlerContext({
    service: StatsService,
    method: StatsService.method.getUsersStats,
    protocolName: "test",
    requestMethod: "POST",
    url: "http://localhost/",
    contextValues: createContextValues().set(deliveryKey, { onLost: (undo) => undos.push(undo) }),
    ...(signal === undefined ? {} : { requestSignal: signal }),
  });
  const connect = (user: string, host = "192.0.2.1"): ConnectionEntry =>
    table.open(
      {
        ...{ inbound: "in", outbound: "out", user, network: "tcp", rule: "final" },
        ...{ source: { host, port: 1 }, destination: { host: "a.test", port: 2 } },
      },
      { moved: { uplinkBytes: 0, downlinkBytes: 0 }, close: () => undefined },
    );
  return { store, calls: createOnlineCalls({ online, store }), context, undos, connect };
}

const withTraffic = { includeTraffic: true, reset: true };

describe("createOnlineCalls()", () => {
  it("gives back exactly what a lost answer of GetUsersStats took", () => {
    const { store, calls, context, undos, connect } = createTestCalls();
    connect("alice");
    const counter = count(store, alice, 5);
    const [user] = calls.getUsersStats(withTraffic, context).users;
    assert.deepEqual(user?.traffic, { uplink: 5n, downlink: 0n });
    counter.add(2);
    assert.equal(undos.length, 1);
    for (const undo of undos) undo();
    assert.equal(counter.value, 7n);
    assert.equal(counter.total, 7n);
  });

  it("asks for nothing back when nothing was reset", () => {
    const { store, calls, context, undos, connect } = createTestCalls();
    connect("alice");
    count(store, alice, 5);
    calls.getUsersStats({ includeTraffic: true, reset: false }, context);
    calls.getUsersStats({ includeTraffic: false, reset: true }, context);
    assert.equal(undos.length, 0);
    assert.deepEqual(valuesOf(store), { [alice]: 5n });
  });

  it("does not touch a counter for a caller who is gone", () => {
    const { store, calls, context, connect } = createTestCalls(
      AbortSignal.abort(new ConnectError("gone", Code.Canceled)),
    );
    connect("alice");
    count(store, alice, 5);
    assert.throws(() => calls.getUsersStats(withTraffic, context), /gone/);
    assert.deepEqual(valuesOf(store), { [alice]: 5n });
  });

  it("creates no counter for a user who has none", () => {
    const { store, calls, context, connect } = createTestCalls();
    connect("alice");
    calls.getUsersStats(withTraffic, context);
    assert.equal(store.size, 0);
  });

  it("sees an open connection now, however old it is", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_000_999 });
    const { calls, context, connect } = createTestCalls();
    connect("alice");
    assert.deepEqual(calls.getStatsOnlineIpList({ name }).ips, { "192.0.2.1": 1_000n });
    t.mock.timers.tick(3_600_000);
    assert.deepEqual(calls.getStatsOnlineIpList({ name }).ips, { "192.0.2.1": 4_600n });
    assert.deepEqual(calls.getUsersStats(withTraffic, context).users[0]?.ips, [
      { ip: "192.0.2.1", lastSeen: 4_600n },
    ]);
  });

  it("lists an address whatever text it is, of a server of one's own", () => {
    const { calls, connect } = createTestCalls();
    connect("alice", "__proto__");
    assert.deepEqual(Object.keys(calls.getStatsOnlineIpList({ name }).ips), ["__proto__"]);
  });

  it("answers 10,000 users with their traffic, for which it looks up two counters each and searches for none", (t) => {
    const { store, calls, context, connect } = createTestCalls();
    for (let index = 0; index < 10_000; index++) {
      connect(`user${index}`, `192.0.2.${index % 256}`);
      count(store, userUplink(`user${index}`), 1);
    }
    const get = t.mock.method(store, "get");
    const searches = [t.mock.method(store, "query"), t.mock.method(store, "subjects")];
    assert.equal(calls.getUsersStats(withTraffic, context).users.length, 10_000);
    assert.equal(get.mock.callCount(), 20_000);
    assert.equal(calls.getAllOnlineUsers().users.length, 10_000);
    assert.equal(get.mock.callCount(), 20_000);
    assert.deepEqual(
      searches.map(({ mock }) => mock.callCount()),
      [0, 0],
    );
  });
});
