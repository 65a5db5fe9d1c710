import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { createStreamGate } from "../../src/rpc/stream-gate.js";

describe("createStreamGate()", () => {
  function create() {
    const refusals = createRefusalTally();
    return { refusals, letIn: createStreamGate({ maxCount: 2, what: "calls wait", refusals }) };
  }

  it("lets as many in as there are places, and others when these are gone", () => {
    const { refusals, letIn } = create();
    const callers = [new AbortController(), new AbortController(), new AbortController()];
    const [first, second, third] = callers.map(({ signal }) => signal);
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    letIn(first);
    letIn(second);
    for (const count of [1, 2]) {
      assert.throws(
        () => {
          letIn(third);
        },
        new ConnectError("2 calls wait, the most there may be", Code.ResourceExhausted),
      );
      assert.equal(refusals.too_many_streams, count);
    }
    callers[0]?.abort();
    letIn(third);
    assert.equal(refusals.too_many_streams, 2);
  });

  it("gives no place to a caller who is gone, nor one back for it", () => {
    const { refusals, letIn } = create();
    for (let count = 0; count < 3; count++) {
      assert.throws(() => {
        letIn(AbortSignal.abort(new Error("gone")));
      }, /^Error: gone$/);
    }
    letIn(new AbortController().signal);
    letIn(new AbortController().signal);
    assert.throws(
      () => {
        letIn(new AbortController().signal);
      },
      { code: Code.ResourceExhausted },
    );
    assert.equal(refusals.too_many_streams, 1);
  });

  it("listens to a caller once, and not beyond its end", () => {
    const { letIn } = create();
    const caller = new AbortController();
    letIn(caller.signal);
    assert.equal(getEventListeners(caller.signal, "abort").length, 1);
    caller.abort();
    assert.equal(getEventListeners(caller.signal, "abort").length, 0);
  });
});
