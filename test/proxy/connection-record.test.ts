import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { DialError, ownListenerError } from "../../src/net/dial-error.js";
import { ConnectionRecord, recordBlocked } from "../../src/proxy/connection-record.js";
import { ConnectionTable } from "../../src/track/connection-table.js";
import type { ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

const metadata: ConnectionMetadata = {
  ...({ inbound: "in", outbound: "out", user: "alice", network: "tcp", rule: "rules[2]" } as const),
  source: { host: "192.0.2.7", port: 50_000 },
  destination: { host: "2001:db8::1", port: 443 },
};

const facts = {
  ...{ id: 1, inbound: "in", outbound: "out", user: "alice", network: "tcp", rule: "rules[2]" },
  ...{ source: "192.0.2.7:50000", destination: "[2001:db8::1]:443" },
};

function open() {
  const connections = new ConnectionTable();
  const logger = new RecordingLogger();
  const moved = { uplinkBytes: 0, downlinkBytes: 0 };
  const close = mock.fn();
  const record = new ConnectionRecord(metadata, { moved, close }, { connections, logger });
  return { record, connections, logger, moved, close };
}

describe("ConnectionRecord", () => {
  it("of what is blocked is one line with an id of its own, and in no table", () => {
    const connections = new ConnectionTable();
    const logger = new RecordingLogger();
    recordBlocked(metadata, { connections, logger });
    const nothing = { duration_ms: 0, uplink_bytes: 0, downlink_bytes: 0 };
    assert.deepEqual(logger.lines, [
      { level: "info", message: "connection blocked", fields: { ...facts, ...nothing } },
    ]);
    assert.deepEqual([connections.size, connections.tallies.tcp.opened], [0, 0]);
    const { id } = connections.open(metadata, {
      ...{ moved: { uplinkBytes: 0, downlinkBytes: 0 }, close: () => undefined },
    });
    assert.equal(id, 2);
  });

  it("is in the table while the connection is open, and closes it on demand", () => {
    const { record, connections, close } = open();
    assert.deepEqual(
      connections.list().map(({ id, metadata: told }) => [id, told]),
      [[1, metadata]],
    );
    assert.equal(connections.close(1), true);
    assert.equal(close.mock.callCount(), 1);
    record.end();
    assert.equal(connections.size, 0);
  });

  it("says at debug that it began, and nothing more while it lasts", () => {
    const { logger, moved } = open();
    moved.uplinkBytes = 5;
    assert.deepEqual(logger.lines, [{ level: "debug", message: "connection opened", fields: facts }]);
  });

  it("says at info what it was when it is over", (t) => {
    let nowMs = 1_000.25;
    t.mock.method(performance, "now", () => nowMs);
    const { record, logger, moved } = open();
    Object.assign(moved, { uplinkBytes: 5, downlinkBytes: 2 ** 40 });
    nowMs += 61_234.5;
    record.end();
    assert.deepEqual(logger.lines[1], {
      level: "info",
      message: "connection closed",
      fields: { ...facts, duration_ms: 61_235, uplink_bytes: 5, downlink_bytes: 2 ** 40 },
    });
    assert.equal(logger.lines.length, 2);
  });

  it("says at info that it was blocked, and why, where the app itself listens at its destination", () => {
    const { record, connections, logger } = open();
    record.end(ownListenerError({ host: "127.0.0.1", port: 10_085 }));
    const { level, message, fields } = logger.lines[1] ?? assert.fail("nothing was said");
    assert.deepEqual([level, message], ["info", "connection blocked"]);
    const reason = "the proxy itself listens on 127.0.0.1:10085";
    const nothing = { uplink_bytes: 0, downlink_bytes: 0 };
    assert.deepEqual(fields, { ...facts, ...nothing, duration_ms: fields?.["duration_ms"], reason });
    assert.equal(connections.size, 0);
  });

  const failures: readonly (readonly [title: string, error: unknown, level: string, reason: string])[] = [
    [
      "a destination's refusal",
      new DialError("refused", "connect to a:1: refused"),
      "info",
      "connect to a:1: refused",
    ],
    ["a client that left before", new DialError("aborted", "nobody waits"), "info", "nobody waits"],
    ["a defect", new TypeError("x is not a function"), "error", "x is not a function"],
    ["what is no error", "odd", "error", "odd"],
  ];
  for (const [title, error, expected, reason] of failures) {
    it(`says at ${expected} why it failed: ${title}`, () => {
      const { record, connections, logger } = open();
      record.end(error);
      const { level, message, fields } = logger.lines[1] ?? assert.fail("nothing was said");
      assert.deepEqual([level, message, fields?.["error"]], [expected, "connection failed", reason]);
      assert.deepEqual([fields?.["id"], fields?.["uplink_bytes"], fields?.["downlink_bytes"]], [1, 0, 0]);
      assert.equal(connections.size, 0);
    });
  }
});
