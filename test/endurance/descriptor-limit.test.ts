import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertDescriptors } from "./descriptor-limit.js";

/** What Linux says of a process. */
function limits(soft: string): string {
  return [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             96000                96000                processes ",
    `Max open files            ${soft.padEnd(20)} 1048576              files     `,
    "",
  ].join("\n");
}

describe("assertDescriptors()", () => {
  const run = { name: "idle", descriptorCount: 10_000 };

  for (const soft of ["10064", "20000", "unlimited"]) {
    it(`lets a run have ${run.descriptorCount} of ${soft}`, () => {
      assertDescriptors(run, limits(soft));
    });
  }

  it("says how many a run wants, and what to do where it cannot have them", () => {
    assert.throws(() => {
      assertDescriptors(run, limits("1024"));
    }, /^RangeError: idle wants 10064 open files in a process, which may have 1024: raise .*--scale 0\.10\)$/);
  });
});
