import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { TrustedConnections } from "../../src/rpc/trusted-connections.js";

/** Three connections of which each is spoken on the one before, and which of them were said to be trusted. */
function createStack() {
  const trusted = new TrustedConnections();
  const [tcp, tls, session] = [new Socket(), new Socket(), new Socket()];
  trusted.stack(session, tls);
  trusted.stack(tls, tcp);
  const told: string[] = [];
  for (const [name, connection] of Object.entries({ tcp, tls, session })) {
    trusted.whenTrusted(connection, () => told.push(name));
  }
  return { trusted, tcp, tls, session, told };
}

describe("TrustedConnections", () => {
  it("trusts none of which it was not told", () => {
    const { trusted, tcp, told } = createStack();
    assert.equal(trusted.has(tcp), false);
    assert.deepEqual(told, []);
  });

  it("trusts a connection and all below it, and says so once", () => {
    const { trusted, tcp, tls, session, told } = createStack();
    for (let time = 0; time < 2; time++) trusted.trust(session);
    assert.deepEqual(
      [tcp, tls, session].map((connection) => trusted.has(connection)),
      [true, true, true],
    );
    assert.deepEqual(told, ["session", "tls", "tcp"]);
  });

  it("trusts nothing that is spoken on what it trusts", () => {
    const { trusted, tcp, tls, session, told } = createStack();
    trusted.trust(tcp);
    assert.deepEqual([trusted.has(tls), trusted.has(session)], [false, false]);
    assert.deepEqual(told, ["tcp"]);
    trusted.trust(tls);
    assert.equal(trusted.has(tls), true);
    assert.deepEqual(told, ["tcp", "tls"]);
  });

  it("tells connections apart", () => {
    const { trusted, tcp } = createStack();
    trusted.trust(new Socket());
    assert.equal(trusted.has(tcp), false);
  });
});
