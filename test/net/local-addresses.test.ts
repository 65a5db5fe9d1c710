import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { LocalAddresses } from "../../src/net/local-addresses.js";

describe("LocalAddresses", () => {
  const list = () => ["192.0.2.1", "2001:db8::1", "fe80::1", "127.0.0.1"];
  const local = [
    ...["127.0.0.1", "127.255.255.254", "::1", "0:0::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::1%lo"],
    ...["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "::ffff:0:0"],
    ...["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:201", "2001:DB8:0:0::1", "fe80::1", "fe80::1%eth0"],
  ];
  for (const address of local) {
    it(`has ${address}`, () => {
      assert.equal(new LocalAddresses({ list }).has(address), true);
    });
  }

  const others = [
    "192.0.2.2",
    "128.0.0.1",
    "2001:db8::2",
    "::2",
    "::ffff:192.0.2.2",
    "fe80::2%eth0",
    "",
    "a.test",
  ];
  for (const address of others) {
    it(`does not have ${JSON.stringify(address)}`, () => {
      assert.equal(new LocalAddresses({ list }).has(address), false);
    });
  }

  it("has every address of this machine's interfaces", () => {
    const addresses = new LocalAddresses();
    for (const { address } of Object.values(networkInterfaces()).flatMap((found = []) => found)) {
      assert.ok(addresses.has(address), address);
    }
  });

  it("asks the operating system once a second at most, and not about loopback", () => {
    let time = 5;
    const found = ["192.0.2.1"];
    let askedCount = 0;
    const addresses = new LocalAddresses({ list: () => (askedCount++, [...found]), now: () => time });
    for (const address of ["127.0.0.1", "0.0.0.0", "::1"]) addresses.has(address);
    assert.equal(askedCount, 0);
    for (let count = 0; count < 3; count++) assert.ok(addresses.has("192.0.2.1"));
    found[0] = "192.0.2.9";
    time += 999;
    assert.equal(addresses.has("192.0.2.9"), false);
    assert.equal(askedCount, 1);
    time += 1;
    assert.ok(addresses.has("192.0.2.9"));
    assert.equal(addresses.has("192.0.2.1"), false);
    assert.equal(askedCount, 2);
  });
});
