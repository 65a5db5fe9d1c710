import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { hasGoneOut } from "../../src/net/counted-writes.js";
import { closed } from "../helpers/timing.js";

/** A stream whose writes complete when the test says so, and what is said of one. */
function writing(t: TestContext) {
  const complete: ((error?: Error | null) => void)[] = [];
  const to = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, callback) => complete.push(callback),
  });
  to.on("error", () => undefined);
  t.after(() => to.destroy());
  const said = new Promise<boolean>((resolve) => {
    to.write("x", (error) => {
      resolve(hasGoneOut(to, error));
    });
  });
  return { to, said, complete: (error?: Error | null) => complete[0]?.(error) };
}

describe("hasGoneOut", () => {
  it("is true of a write that succeeded", async (t) => {
    for (const none of [undefined, null]) {
      const { said, complete } = writing(t);
      complete(none);
      assert.equal(await said, true);
    }
  });

  it("is false of one that failed", async (t) => {
    const { said, complete } = writing(t);
    complete(new Error("broken"));
    assert.equal(await said, false);
  });

  it("is false of one under way when its stream is destroyed, error or none", async (t) => {
    const { to, said, complete } = writing(t);
    to.destroy();
    complete();
    assert.equal(await said, false);
    await closed(to);
    assert.equal(hasGoneOut(to, undefined), false);
  });
});
