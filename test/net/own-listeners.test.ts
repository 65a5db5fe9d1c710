import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LocalAddresses } from "../../src/net/local-addresses.js";
import { OwnListeners } from "../../src/net/own-listeners.js";

const create = () =>
  new OwnListeners(new LocalAddresses({ list: () => ["192.0.2.1"], leadsHere: () => false }));

describe("OwnListeners", () => {
  it("have what was added, at any address of the machine and at no other one", () => {
    const own = create();
    own.add("tcp", 10_085);
    for (const host of ["127.0.0.1", "::1", "0.0.0.0", "::ffff:127.0.0.1", "192.0.2.1"]) {
      assert.equal(own.has("tcp", { host, port: 10_085 }), true, host);
      assert.equal(own.has("tcp", { host, port: 10_086 }), false, host);
      assert.equal(own.has("udp", { host, port: 10_085 }), false, host);
    }
    assert.equal(own.has("tcp", { host: "192.0.2.2", port: 10_085 }), false);
  });

  it("do not have what listens no more, nor let go of what another one has", () => {
    const own = create();
    const has = () => own.has("udp", { host: "127.0.0.1", port: 53 });
    const forget = [own.add("udp", 53), own.add("udp", 53)];
    forget[0]?.();
    forget[0]?.();
    assert.equal(has(), true);
    forget[1]?.();
    assert.equal(has(), false);
    own.add("udp", 53);
    forget[0]?.();
    assert.equal(has(), true);
  });

  it("ask for no addresses where nobody listens on the port", () => {
    const own = new OwnListeners(new LocalAddresses({ list: () => assert.fail("asked") }));
    own.add("tcp", 1);
    assert.equal(own.has("tcp", { host: "192.0.2.1", port: 2 }), false);
  });
});
