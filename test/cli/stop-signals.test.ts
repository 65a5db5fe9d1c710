import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import type { CommandProcess } from "../../src/cli/command.js";
import { listenForStopSignals } from "../../src/cli/stop-signals.js";

class SignalledProcess extends EventEmitter implements CommandProcess {
  readonly stdout = { write: () => undefined };
  readonly stderr = { write: () => undefined };
}

describe("listenForStopSignals", () => {
  for (const [first, second] of [
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ] as const) {
    it(`resolves at a first ${first} and aborts at a ${second} after it`, async () => {
      const process = new SignalledProcess();
      const signals = listenForStopSignals(process);
      process.emit(first);
      await signals.first;
      assert.equal(signals.second.aborted, false);
      process.emit(second);
      assert.equal(signals.second.aborted, true);
    });
  }

  it("leaves no listener behind", () => {
    const process = new SignalledProcess();
    const signals = listenForStopSignals(process);
    assert.deepEqual([process.listenerCount("SIGINT"), process.listenerCount("SIGTERM")], [1, 1]);
    signals.stopListening();
    assert.deepEqual(process.eventNames(), []);
  });
});
