import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { anybody, callerKey, type Caller } from "../../src/rpc/caller.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { createStreamGate } from "../../src/rpc/stream-gate.js";

describe("createStreamGate()", () => {
  function create() {
    const refusals = createRefusalTally();
    const gate = createStreamGate({ maxCount: 2, what: "calls wait", refusals });
    const letIn = (signal: AbortSignal, caller: Caller = anybody): void => {
      gate({ signal, values: createContextValues().set(callerKey, caller) });
    };
    return { refusals, letIn };
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

  it("keeps strangers to places of their own", () => {
    const { refusals, letIn } = create();
    const panel = { name: "panel", mayReset: false };
    const stranger = { name: undefined, mayReset: false, strangerFrom: "192.0.2.1" };
    const { signal } = new AbortController();
    letIn(signal, stranger);
    assert.throws(
      () => {
        letIn(signal, stranger);
      },
      new ConnectError(
        "1 calls wait without a secret from one address, the most there may be",
        Code.ResourceExhausted,
      ),
    );
    letIn(signal, panel);
    letIn(signal, panel);
    assert.throws(
      () => {
        letIn(signal, panel);
      },
      new ConnectError("2 calls wait, the most there may be", Code.ResourceExhausted),
    );
    assert.equal(refusals.too_many_streams, 2);
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
