import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Gate } from "../../src/parts/gate.js";
import { turns } from "../helpers/timing.js";

describe("Gate", () => {
  it("holds up who comes until it is opened, and hands over what they brought", async () => {
    const handled: string[] = [];
    const gate = new Gate();
    const handle = gate.before<string>(async (request) => Promise.resolve(void handled.push(request)));
    const waiting = [handle("one"), handle("two")];
    await turns(3);
    assert.deepEqual(handled, []);
    gate.open();
    await Promise.all(waiting);
    assert.deepEqual(handled, ["one", "two"]);
  });

  it("lets who comes later through within the same turn", () => {
    const handled: string[] = [];
    const gate = new Gate();
    gate.open();
    void gate.before<string>(async (request) => Promise.resolve(void handled.push(request)))("one");
    assert.deepEqual(handled, ["one"]);
  });

  it("is over for who comes when what they wait for is", async () => {
    let end: () => void = () => undefined;
    const gate = new Gate();
    gate.open();
    let isOver = false;
    const over = gate.before(async () => new Promise<void>((resolve) => (end = resolve)))(undefined);
    void over.then(() => (isOver = true));
    await turns(3);
    assert.equal(isOver, false);
    end();
    await over;
  });
});
