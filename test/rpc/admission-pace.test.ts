import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AdmissionPace, type AdmissionPaceOptions } from "../../src/rpc/admission-pace.js";

/** Newcomers at a pace, and who has had a turn. */
class Door {
  readonly pace: AdmissionPace;
  readonly entered: string[] = [];

  constructor(options: AdmissionPaceOptions) {
    this.pace = new AdmissionPace(options);
  }

  /** So many come from a source, each with its number. */
  come(source: string, count: number, isGone?: () => boolean): void {
    for (let index = 1; index <= count; index++) {
      void this.pace.turn(source, isGone).then(() => this.entered.push(`${source} ${index}`));
    }
  }

  /** Who has had a turn since it was asked last. */
  async newlyEntered(): Promise<string[]> {
    // Behind everything that waits for a promise that is resolved, and in the same turn of the event loop.
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    return this.entered.splice(0);
  }
}

/** With a clock that is set by hand. */
function openDoor(t: TestContext, options: AdmissionPaceOptions = {}): Door & { tick: (ms: number) => void } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = { ms: 0 };
  const door = new Door({ now: () => clock.ms, slowedGapMs: 20, slowedMs: 60_000, ...options });
  return Object.assign(door, {
    tick: (ms: number) => {
      clock.ms += ms;
      t.mock.timers.tick(ms);
    },
  });
}

describe("AdmissionPace", () => {
  it("lets as many in at once as may be in one turn of the event loop, and the others in the turns that follow", async (t) => {
    const door = openDoor(t, { maxPerTurn: 2 });
    door.come("a", 3);
    door.come("b", 2);
    assert.deepEqual(await door.newlyEntered(), ["a 1", "a 2"]);
    await nextTurn();
    assert.deepEqual(await door.newlyEntered(), ["a 3", "b 1"]);
    await nextTurn();
    assert.deepEqual(await door.newlyEntered(), ["b 2"]);
  });

  it("begins to count anew in each turn", async (t) => {
    const door = openDoor(t, { maxPerTurn: 2 });
    for (let turn = 0; turn < 3; turn++) {
      door.come("a", 2);
      assert.deepEqual(await door.newlyEntered(), ["a 1", "a 2"]);
      await nextTurn();
    }
  });

  it("lets 8 in at once by default", async () => {
    const door = new Door({});
    door.come("a", 10);
    assert.equal((await door.newlyEntered()).length, 8);
  });

  it("lets those of a source that has flooded in one by one, at intervals", async (t) => {
    const door = openDoor(t);
    door.pace.slow("a");
    door.come("a", 3);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
    await nextTurn();
    door.tick(19);
    assert.deepEqual(await door.newlyEntered(), []);
    door.tick(1);
    assert.deepEqual(await door.newlyEntered(), ["a 2"]);
    door.tick(20);
    assert.deepEqual(await door.newlyEntered(), ["a 3"]);
  });

  it("keeps the interval for who comes when nobody waits", async (t) => {
    const door = openDoor(t);
    door.pace.slow("a");
    door.come("a", 1);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
    door.tick(5);
    door.come("a", 1);
    assert.deepEqual(await door.newlyEntered(), []);
    door.tick(15);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
    door.tick(20);
    door.come("a", 1);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
  });

  it("keeps nobody else waiting for them", async (t) => {
    const door = openDoor(t, { maxPerTurn: 2 });
    door.pace.slow("a");
    door.come("a", 100);
    door.come("b", 2);
    assert.deepEqual(await door.newlyEntered(), ["a 1", "b 1", "b 2"]);
  });

  it("takes them from each of their sources in turn", async (t) => {
    const door = openDoor(t);
    for (const source of ["a", "b", "c"]) door.pace.slow(source);
    door.come("a", 3);
    door.come("b", 1);
    door.come("c", 2);
    const entered = await door.newlyEntered();
    for (let step = 0; step < 5; step++) {
      door.tick(20);
      entered.push(...(await door.newlyEntered()));
    }
    assert.deepEqual(entered, ["a 1", "a 2", "b 1", "c 1", "a 3", "c 2"]);
  });

  it("keeps nobody waiting for those who are gone, and lets go of them", async (t) => {
    const door = openDoor(t);
    for (const source of ["a", "b"]) door.pace.slow(source);
    let isGone = false;
    door.come("a", 1);
    door.come("a", 3, () => isGone);
    door.come("b", 2, () => isGone);
    door.come("a", 1);
    isGone = true;
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
    door.tick(20);
    assert.deepEqual(await door.newlyEntered(), ["a 1", "a 2", "a 3", "a 1"]);
    door.tick(20);
    assert.deepEqual(await door.newlyEntered(), ["b 1", "b 2"]);
    door.come("b", 1);
    assert.deepEqual(await door.newlyEntered(), ["b 1"]);
  });

  it("has forgotten a flood after a minute, and each further one begins another", async (t) => {
    const door = openDoor(t, { maxPerTurn: 2 });
    door.pace.slow("a");
    door.tick(30_000);
    door.pace.slow("a");
    door.tick(59_999);
    door.come("a", 2);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
    door.tick(20);
    assert.deepEqual(await door.newlyEntered(), ["a 2"]);
    door.come("a", 2);
    assert.deepEqual(await door.newlyEntered(), ["a 1", "a 2"]);
    assert.equal(door.pace.flooderCount, 0);
  });

  it("remembers no more sources than it may, and forgets who flooded longest ago", async (t) => {
    const door = openDoor(t, { maxSources: 2 });
    for (const source of ["a", "b", "a", "c"]) door.pace.slow(source);
    assert.equal(door.pace.flooderCount, 2);
    door.come("b", 2);
    assert.deepEqual(await door.newlyEntered(), ["b 1", "b 2"]);
    door.come("a", 2);
    assert.deepEqual(await door.newlyEntered(), ["a 1"]);
  });
});
