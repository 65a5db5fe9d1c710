import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientNetworkOf } from "../../src/net/client-network.js";

describe("clientNetworkOf", () => {
  const table: readonly (readonly [address: string, network: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::5:6", "2001:db8:0:0::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["2001:db8::2:3:4:5:6", "2001:db8:0:2::/64"],
    ["2001:0:1:2:3::", "2001:0:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["::1:2:3:4:5:6:7", "0:1:2:3::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["a socket that is gone", "a socket that is gone"],
  ];
  for (const [address, network] of table) {
    it(`takes ${address} for ${network}`, () => {
      assert.equal(clientNetworkOf(address), network);
    });
  }
});
