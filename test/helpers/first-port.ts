import assert from "node:assert/strict";
import { isUnix, type ListenAddress } from "../../src/net/listen-address.js";

/** The port of the first address at which something listens, which has to be one with a port. */
export function firstPort([address]: readonly ListenAddress[]): number {
  assert.ok(address !== undefined && !isUnix(address), "nothing listens on a port");
  return address.port;
}
