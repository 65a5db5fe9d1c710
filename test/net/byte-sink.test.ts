import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addToAll, type ByteSink } from "../../src/net/byte-sink.js";
import { Counter } from "../../src/stats/counter.js";
import { Tally } from "../helpers/tally.js";

describe("addToAll", () => {
  it("tells every sink of the same bytes", () => {
    const tallies = [new Tally(), new Tally(), new Tally()];
    addToAll(tallies, 5);
    addToAll(tallies, 7);
    assert.deepEqual(
      tallies.map(({ steps }) => steps),
      [
        [5, 12],
        [5, 12],
        [5, 12],
      ],
    );
  });

  it("has nobody to tell without sinks", () => {
    assert.doesNotThrow(() => {
      addToAll([], 5);
    });
  });

  it("takes a Counter for a sink", () => {
    const counter = new Counter();
    const sink: ByteSink = counter;
    addToAll([sink, sink], 5);
    assert.equal(counter.value, 10n);
  });
});
