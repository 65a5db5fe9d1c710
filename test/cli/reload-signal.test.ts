import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listenForReloadSignal } from "../../src/cli/reload-signal.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { turns } from "../helpers/timing.js";

/** Reloads that the test ends, one after the other. */
class Reloads {
  count = 0;
  #end: () => void = () => undefined;

  readonly reload = async (): Promise<void> => {
    this.count += 1;
    await new Promise<void>((resolve) => (this.#end = resolve));
  };

  /** Ends the one that is under way, and lets the next one begin if there is one. */
  async endOne(): Promise<void> {
    this.#end();
    await turns(2);
  }
}

describe("listenForReloadSignal", () => {
  it("answers each signal", async () => {
    const process = new FakeProcess();
    const reloads = new Reloads();
    const signal = listenForReloadSignal(process);
    signal.answerWith(reloads.reload);
    for (let count = 1; count <= 3; count++) {
      process.emit("SIGHUP");
      assert.equal(reloads.count, count);
      await reloads.endOne();
    }
    assert.equal(reloads.count, 3);
  });

  it("answers those that come during an answer with one more, after it", async () => {
    const process = new FakeProcess();
    const reloads = new Reloads();
    const signal = listenForReloadSignal(process);
    signal.answerWith(reloads.reload);
    for (let count = 0; count < 5; count++) process.emit("SIGHUP");
    await turns(2);
    assert.equal(reloads.count, 1);
    await reloads.endOne();
    assert.equal(reloads.count, 2);
    await reloads.endOne();
    assert.equal(reloads.count, 2);
  });

  it("makes up for one that came before there was an answer", async () => {
    const process = new FakeProcess();
    const reloads = new Reloads();
    const signal = listenForReloadSignal(process);
    process.emit("SIGHUP");
    await turns(2);
    signal.answerWith(reloads.reload);
    assert.equal(reloads.count, 1);
    await reloads.endOne();
    assert.equal(reloads.count, 1);
  });

  it("leaves no listener behind, and begins no more answers", async () => {
    const process = new FakeProcess();
    const reloads = new Reloads();
    const signal = listenForReloadSignal(process);
    signal.answerWith(reloads.reload);
    process.emit("SIGHUP");
    process.emit("SIGHUP");
    signal.stopListening();
    assert.deepEqual(process.eventNames(), []);
    await reloads.endOne();
    assert.equal(reloads.count, 1);
  });
});
