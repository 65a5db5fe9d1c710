import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RelayTally } from "../../src/net/relay-tally.js";

describe("RelayTally", () => {
  it("begins at nothing", () => {
    const { uplinkBytes, downlinkBytes } = new RelayTally();
    assert.deepEqual([uplinkBytes, downlinkBytes], [0, 0]);
  });

  it("tells what was read from the client, and what was written to it", () => {
    const tally = new RelayTally();
    Object.assign(tally.up, { readBytes: 5, writtenBytes: 4 });
    Object.assign(tally.down, { readBytes: 3, writtenBytes: 2 });
    assert.deepEqual([tally.uplinkBytes, tally.downlinkBytes], [5, 2]);
  });

  it("is exact far beyond 4 GiB", () => {
    const tally = new RelayTally();
    tally.up.readBytes += 2 ** 52;
    tally.up.readBytes += 1;
    assert.equal(tally.uplinkBytes, 2 ** 52 + 1);
  });
});
