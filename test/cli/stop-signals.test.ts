import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { endSignals, listenForStopSignals } from "../../src/cli/stop-signals.js";

describe("listenForStopSignals", () => {
  for (const [first, second] of [
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ] as const) {
    it(`resolves at a first ${first} and aborts at a ${second} after it`, async () => {
      const process = new EventEmitter();
      const signals = listenForStopSignals(process);
      process.emit(first);
      await signals.first;
      assert.equal(signals.second.aborted, false);
      process.emit(second);
      assert.equal(signals.second.aborted, true);
      signals.stopListening();
    });
  }

  it("takes over those that it is told to", async () => {
    for (const signal of endSignals) {
      const process = new EventEmitter();
      const signals = listenForStopSignals(process, endSignals);
      assert.deepEqual(process.eventNames(), ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);
      process.emit(signal);
      await signals.first;
      signals.stopListening();
      assert.deepEqual(process.eventNames(), []);
    }
  });

  it("keeps the process alive, and leaves no listener and no timer behind", () => {
    const fake = new EventEmitter();
    const timerCount = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timerCount();
    const signals = listenForStopSignals(fake);
    assert.deepEqual([fake.listenerCount("SIGINT"), fake.listenerCount("SIGTERM")], [1, 1]);
    assert.equal(timerCount(), before + 1);
    signals.stopListening();
    assert.deepEqual(fake.eventNames(), []);
    assert.equal(timerCount(), before);
  });
});
