import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UntrustedConnections } from "../../src/rpc/untrusted-connections.js";
import { createRandom } from "../helpers/random.js";

/** Connections with names, of which the first letter is that of their source, and the names of those that were ended. */
function create(...names: readonly string[]) {
  const connections = new UntrustedConnections();
  const ended: string[] = [];
  const add = (name: string): (() => void) =>
    connections.add(name.charAt(0), () => {
      ended.push(name);
    });
  const leave = Object.fromEntries(names.map((name) => [name, add(name)]));
  /** @returns the names of those that end, one after the other. */
  const endAll = (source?: string): string => {
    const before = ended.length;
    while (connections.endOne(source));
    return ended.slice(before).join(" ");
  };
  return { connections, add, leave, endAll, ended };
}

describe("UntrustedConnections", () => {
  it("ends the oldest of a source first, and those of no other", () => {
    const { endAll } = create("b1", "a1", "a2", "b2", "a3");
    assert.equal(endAll("a"), "a1 a2 a3");
    assert.equal(endAll("c"), "");
    assert.equal(endAll("b"), "b1 b2");
  });

  it("ends, of all, the oldest of the source that has most, and of sources that have as many, of who has so longest", () => {
    const { endAll } = create("b1", "a1", "a2", "c1", "a3", "b2");
    assert.equal(endAll(), "a1 b1 a2 c1 b2 a3");
  });

  it("ends the oldest where every source has one", () => {
    const { connections, add, ended } = create("a1", "b1", "c1");
    assert.equal(connections.endOne(), true);
    add("a2");
    assert.equal(connections.endOne(), true);
    assert.deepEqual(ended, ["a1", "b1"]);
  });

  it("ends none that has left, which may be said twice", () => {
    const { leave, endAll } = create("a1", "a2", "a3", "b1", "b2");
    for (const name of ["a1", "a1", "a3", "b2"]) leave[name]?.();
    assert.equal(endAll(), "a2 b1");
    leave["a2"]?.();
    assert.equal(endAll(), "");
  });

  it("has a source begin anew that was gone", () => {
    const { leave, add, endAll } = create("a1", "a2", "b1");
    for (const name of ["a1", "a2"]) leave[name]?.();
    add("a3");
    assert.equal(endAll(), "b1 a3");
  });

  it("knows who has most, and the oldest of theirs, whatever comes and goes", () => {
    const random = createRandom(8);
    const { connections, add, ended } = create();
    const there = new Map<string, () => void>();
    const namesOf = (source: string) => [...there.keys()].filter((name) => name.startsWith(source));
    const sources = ["a", "b", "c", "d"] as const;
    for (let step = 0; step < 2_000; step++) {
      const most = Math.max(...sources.map((source) => namesOf(source).length));
      const leaving = [...there.keys()][random.below(there.size + 1)] ?? "";
      switch (random.below(3)) {
        case 0: {
          const name = `${random.pick(sources)}${step}`;
          there.set(name, add(name));
          break;
        }
        case 1:
          there.get(leaving)?.();
          there.delete(leaving);
          break;
        default: {
          assert.equal(connections.endOne(), most > 0);
          if (most === 0) break;
          const name = ended.at(-1) ?? "";
          const [oldest, ...others] = namesOf(name.charAt(0));
          assert.deepEqual([name, others.length + 1], [oldest, most]);
          there.delete(name);
        }
      }
    }
    assert.ok(ended.length > 100);
  });
});
