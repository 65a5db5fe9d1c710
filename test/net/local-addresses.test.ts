import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { LocalAddresses } from "../../src/net/local-addresses.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

describe("LocalAddresses", () => {
  const list = () => ["192.0.2.1", "2001:db8::1", "fe80::1", "127.0.0.1"];
  const leadsHere = () => false;
  const local = [
    ...["127.0.0.1", "127.255.255.254", "::1", "0:0::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::1%lo"],
    ...["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "::ffff:0:0"],
    ...["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:201", "2001:DB8:0:0::1", "fe80::1", "fe80::1%eth0"],
  ];
  for (const address of local) {
    it(`has ${address}`, () => {
      assert.equal(new LocalAddresses({ list, leadsHere }).has(address), true);
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
      assert.equal(new LocalAddresses({ list, leadsHere }).has(address), false);
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
    const addresses = new LocalAddresses({
      list: () => (askedCount++, [...found]),
      leadsHere,
      now: () => time,
    });
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

  it("has an address that no interface tells of, if the kernel keeps what is sent there", () => {
    const asked: string[] = [];
    const ofKernel = (address: string) => {
      asked.push(address);
      return address !== "192.0.2.9";
    };
    let time = 0;
    const addresses = new LocalAddresses({ list, leadsHere: ofKernel, now: () => time });
    const ask = () => ["172.17.0.1", "192.0.2.9", "fe80::9%eth0"].map((address) => addresses.has(address));
    assert.deepEqual(ask(), [true, false, true]);
    assert.deepEqual(ask(), [true, false, true]);
    assert.deepEqual(asked, ["172.17.0.1", "192.0.2.9", "fe80::9%eth0"]);
    time += 1_000;
    ask();
    assert.equal(asked.length, 6);
    for (const known of ["127.0.0.1", "::", "192.0.2.1", "a.test", ""]) addresses.has(known);
    assert.equal(asked.length, 6);
  });

  it("remembers a bounded number of them", () => {
    let askedCount = 0;
    const addresses = new LocalAddresses({ list, leadsHere: () => ++askedCount < 0, now: () => 0 });
    const ask = (count: number) => {
      for (let n = 0; n < count; n++) addresses.has(`203.0.${n >> 8}.${n & 255}`);
    };
    ask(1_024);
    ask(1_024);
    assert.equal(askedCount, 1_024);
    ask(1_025);
    ask(1);
    assert.equal(askedCount, 1_026);
  });

  it("asks the kernel alone where the interfaces cannot be listed, and says so once", () => {
    const logger = new RecordingLogger();
    let time = 0;
    const addresses = new LocalAddresses({
      list: () => {
        throw new Error("no AF_NETLINK");
      },
      leadsHere: (address) => address === "192.0.2.1",
      now: () => time,
      logger,
    });
    for (; time < 3_000; time += 1_000) {
      assert.equal(addresses.has("192.0.2.1"), true);
      assert.equal(addresses.has("192.0.2.2"), false);
    }
    const message = "cannot list the addresses of this machine; the kernel is asked about each by itself";
    assert.deepEqual(logger.lines, [{ level: "warn", message, fields: { error: "no AF_NETLINK" } }]);
  });
});
