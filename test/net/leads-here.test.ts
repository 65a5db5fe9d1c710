import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { leadsHere } from "../../src/net/leads-here.js";
import { withoutIPv6 } from "../helpers/datagram-sockets.js";
import { until } from "../helpers/timing.js";

describe("leadsHere()", () => {
  for (const address of ["127.0.0.1", "127.0.0.7", "127.255.255.254"]) {
    it(`is true of ${address}`, () => {
      assert.equal(leadsHere(address), true);
    });
  }

  it("is true of loopback in IPv6", { skip: withoutIPv6 }, () => {
    for (const address of ["::1", "0:0:0:0:0:0:0:1"]) assert.equal(leadsHere(address), true, address);
  });

  it("is true of every address of this machine's interfaces but those of one link", () => {
    const addresses = Object.values(networkInterfaces()).flatMap((found = []) => found);
    const wide = addresses.filter(({ scopeid }) => !scopeid);
    for (const { address } of wide) assert.equal(leadsHere(address), true, address);
  });

  // Whatever the machine's routes are: there may be none to them, and none leads here.
  for (const address of ["198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255", "2001:db8::1"]) {
    it(`is false of ${address}`, () => {
      assert.equal(leadsHere(address), false);
    });
  }

  it("is false of what is no address, and never throws", () => {
    for (const address of ["", "a.test", "1.2.3", "fe80::1%nowhere"]) {
      assert.equal(leadsHere(address), false, address);
    }
  });

  it("leaves no socket open", { timeout: 10_000 }, async () => {
    const count = () => process.getActiveResourcesInfo().filter((name) => name === "UDPWRAP").length;
    const before = count();
    for (let asked = 0; asked < 100; asked++) leadsHere("127.0.0.1");
    await until(() => count() === before);
  });
});
