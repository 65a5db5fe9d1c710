import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContextValues, createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import { resetFor } from "../../src/rpc/reset-for.js";
import { Counter } from "../../src/stats/counter.js";

/** A context that hands on what is to be undone. */
function contextOf(onLost: (undo: () => void) => void): HandlerContext {
  return createHandlerContext({
    service: StatsService,
    method: StatsService.method.getStats,
    protocolName: "test",
    requestMethod: "POST",
    url: "http://localhost/",
    contextValues: createContextValues().set(deliveryKey, { onLost }),
  });
}

describe("resetFor()", () => {
  it("takes what was counted, and gives it back if the answer is lost", () => {
    const counter = new Counter();
    counter.add(5);
    const undos: (() => void)[] = [];
    assert.equal(
      resetFor(
        contextOf((undo) => undos.push(undo)),
        counter,
      ),
      5n,
    );
    assert.equal(counter.value, 0n);
    counter.add(1);
    for (const undo of undos) undo();
    assert.equal(counter.value, 6n);
  });

  it("gives back at once to a counter whose caller is gone already", () => {
    const counter = new Counter();
    counter.add(5);
    const gone = contextOf((undo) => {
      undo();
    });
    assert.equal(resetFor(gone, counter), 5n);
    assert.equal(counter.value, 5n);
  });

  it("has nothing to give back where nothing was counted", () => {
    const fail = contextOf(() => assert.fail("nothing was taken"));
    assert.equal(resetFor(fail, new Counter()), 0n);
  });
});
