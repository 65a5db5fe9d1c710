import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WrittenEndpoints } from "../../src/net/written-endpoints.js";

/** As many endpoints as are remembered at least, however they spread over addresses. */
const maxAddressCount = 4_096;
const maxEndpointCount = 16_384;

/** Addresses that differ, in an order. */
function addressOf(index: number): string {
  return `10.0.${index >> 8}.${index & 0xff}`;
}

describe("WrittenEndpoints", () => {
  it("knows nobody at first", () => {
    assert.equal(new WrittenEndpoints().has("192.0.2.1", 53), false);
  });

  it("knows an endpoint that was written to, and no other of its address or port", () => {
    const written = new WrittenEndpoints();
    written.add("192.0.2.1", 53);
    written.add("192.0.2.2", 80);
    const asked = [
      ["192.0.2.1", 53],
      ["192.0.2.2", 80],
      ["192.0.2.1", 80],
      ["192.0.2.2", 53],
      ["192.0.2.1", 0],
      ["192.0.2.3", 53],
    ] as const;
    assert.deepEqual(
      asked.map(([address, port]) => written.has(address, port)),
      [true, true, false, false, false, false],
    );
  });

  it("tells addresses apart that end or begin alike", () => {
    const written = new WrittenEndpoints();
    written.add("1.2.3.4", 53);
    written.add("::1", 53);
    assert.equal(written.has("11.2.3.4", 53), false);
    assert.equal(written.has("1.2.3.45", 3), false);
    assert.equal(written.has("::11", 53), false);
  });

  it("remembers as many addresses as there is room for, and forgets the first of more", () => {
    const written = new WrittenEndpoints();
    for (let index = 0; index < maxAddressCount; index++) written.add(addressOf(index), 53);
    assert.equal(written.has(addressOf(0), 53), true);
    written.add(addressOf(maxAddressCount), 53);
    assert.equal(written.has(addressOf(0), 53), false);
    assert.equal(written.has(addressOf(1), 53), true);
    assert.equal(written.has(addressOf(maxAddressCount), 53), true);
  });

  it("remembers as many endpoints as there is room for, and forgets the first address of more", () => {
    const written = new WrittenEndpoints();
    written.add("192.0.2.1", 1);
    written.add("192.0.2.1", 2);
    for (let port = 1; port <= maxEndpointCount - 2; port++) written.add("192.0.2.2", port);
    assert.equal(written.has("192.0.2.1", 1), true);
    written.add("192.0.2.3", 1);
    assert.deepEqual([written.has("192.0.2.1", 1), written.has("192.0.2.1", 2)], [false, false]);
    assert.deepEqual([written.has("192.0.2.2", 1), written.has("192.0.2.3", 1)], [true, true]);
  });

  it("has room again for what it forgot", () => {
    const written = new WrittenEndpoints();
    for (let port = 1; port <= maxEndpointCount; port++) written.add("192.0.2.1", port);
    written.add("192.0.2.2", 1);
    for (let port = 2; port <= maxEndpointCount; port++) written.add("192.0.2.2", port);
    assert.equal(written.has("192.0.2.2", 1), true);
    assert.equal(written.has("192.0.2.2", maxEndpointCount), true);
  });

  it("takes no room for an endpoint that is written to again", () => {
    const written = new WrittenEndpoints();
    written.add("192.0.2.1", 53);
    for (let packet = 0; packet < 2 * maxEndpointCount; packet++) written.add("192.0.2.2", 53);
    assert.equal(written.has("192.0.2.1", 53), true);
  });

  it("knows a forgotten endpoint again when it is written to again", () => {
    const written = new WrittenEndpoints();
    for (let index = 0; index <= maxAddressCount; index++) written.add(addressOf(index), 53);
    written.add(addressOf(0), 53);
    assert.equal(written.has(addressOf(0), 53), true);
  });

  it("never forgets the one that was just written to", () => {
    const written = new WrittenEndpoints();
    for (let port = 1; port <= maxEndpointCount + 1; port++) {
      written.add("192.0.2.1", port);
      assert.equal(written.has("192.0.2.1", port), true, `port ${port}`);
    }
  });

  it("never forgets the one that was just written to at the address that was first", () => {
    const written = new WrittenEndpoints();
    written.add("192.0.2.1", 1);
    for (let port = 1; port < maxEndpointCount; port++) written.add("192.0.2.2", port);
    written.add("192.0.2.1", 2);
    assert.equal(written.has("192.0.2.1", 2), true);
  });
});
