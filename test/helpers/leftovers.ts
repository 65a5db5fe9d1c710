import assert from "node:assert/strict";
import { it } from "node:test";
import { openSockets } from "./sockets.js";
import { turns } from "./timing.js";

/**
 * Ends a file of tests that shares its process with others: waits until all sockets that it opened are gone, so that the
 * next file, which may count them, begins with none. Fails if one stays.
 */
export function assertNothingLeft(file: string): void {
  it(`${file} leaves no socket open`, async () => {
    for (let turn = 0; turn < 200 && openSockets().length > 0; turn++) await turns(2);
    assert.deepEqual(openSockets(), []);
  });
}
