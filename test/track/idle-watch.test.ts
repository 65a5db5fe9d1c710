import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ConnectionTable } from "../../src/track/connection-table.js";
import { IdleWatch } from "../../src/track/idle-watch.js";
import type { Network } from "../../src/track/network.js";

const place = { host: "192.0.2.1", port: 1 };

/** A table, and connections in it that say when they are closed. */
class Table {
  readonly connections = new ConnectionTable();
  readonly closed: string[] = [];

  open(name: string, network: Network = "tcp") {
    const moved = { uplinkBytes: 0, downlinkBytes: 0 };
    const entry = this.connections.open(
      { inbound: "in", outbound: "out", network, source: place, destination: place, rule: "final" },
      {
        moved,
        close: () => {
          this.closed.push(name);
          entry[Symbol.dispose]();
        },
      },
    );
    return { moved, entry };
  }
}

describe("IdleWatch", () => {
  it("closes a connection on which nothing has moved for so long", () => {
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    table.open("quiet");
    for (const nowMs of [1_000, 1_050, 1_099]) watch.check(100, nowMs);
    assert.deepEqual(table.closed, []);
    watch.check(100, 1_100);
    assert.deepEqual(table.closed, ["quiet"]);
  });

  it("gives a connection its time anew with each byte, whichever way", () => {
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    const [up, down] = [table.open("up"), table.open("down")];
    table.open("quiet");
    watch.check(100, 0);
    up.moved.uplinkBytes += 1;
    watch.check(100, 60);
    down.moved.downlinkBytes += 1;
    watch.check(100, 120);
    assert.deepEqual(table.closed, ["quiet"]);
    watch.check(100, 160);
    assert.deepEqual(table.closed, ["quiet", "up"]);
  });

  it("knows nothing of a connection before it has seen it", () => {
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    watch.check(100, 0);
    table.open("new");
    watch.check(100, 1_000);
    assert.deepEqual(table.closed, []);
  });

  it("leaves packets to the time that they have at the inbound", () => {
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    table.open("packets", "udp");
    for (const nowMs of [0, 1_000, 2_000]) watch.check(100, nowMs);
    assert.deepEqual(table.closed, []);
  });

  it("forgets those that are gone", () => {
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    const { entry } = table.open("gone");
    watch.check(100, 0);
    entry[Symbol.dispose]();
    watch.check(100, 500);
    assert.deepEqual(table.closed, []);
  });

  /** Timers that pass when the test says so. */
  function mockTimers(t: TestContext): (ms: number) => void {
    t.mock.timers.enable({ apis: ["setInterval"] });
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    return (ms) => {
      // One by one: a timer that is late would see another time.
      for (let left = ms; left > 0; left--) {
        nowMs += 1;
        t.mock.timers.tick(1);
      }
    };
  }

  // 845 is no multiple of what it is looked at in, and whoever comes right behind a look is seen at the next one.
  for (const [idleMs, restMs] of [
    [800, 0],
    [800, 1],
    [845, 0],
    [845, 1],
    [845, 51],
    [845, 52],
    [845, 53],
    [845, 107],
    [40, 1],
  ] as const) {
    it(`looks by itself, in time to close no later than an eighth after: ${idleMs} ms, from ${restMs}`, (t) => {
      const pass = mockTimers(t);
      const table = new Table();
      const watch = new IdleWatch(table.connections);
      watch.watch(idleMs);
      pass(restMs);
      const { moved } = table.open("quiet");
      pass(Math.min(300, idleMs / 2));
      moved.uplinkBytes += 1;
      pass(idleMs - 1);
      assert.deepEqual(table.closed, []);
      pass(1 + idleMs / 8);
      assert.deepEqual(table.closed, ["quiet"]);
      watch.stop();
    });
  }

  it("looks at nothing where connections may be idle for ever", (t) => {
    const pass = mockTimers(t);
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    t.mock.method(table.connections, "list", () => assert.fail("it looks"));
    watch.watch(0);
    pass(10_000);
    watch.watch(1_000);
    watch.watch(0);
    pass(10_000);
  });

  it("begins anew with another time", (t) => {
    const pass = mockTimers(t);
    const table = new Table();
    const watch = new IdleWatch(table.connections);
    table.open("quiet");
    watch.watch(80_000);
    pass(15_000);
    watch.watch(80);
    pass(70);
    assert.deepEqual(table.closed, []);
    pass(20);
    assert.deepEqual(table.closed, ["quiet"]);
    watch.stop();
  });
});
