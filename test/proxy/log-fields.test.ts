import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toLogFields } from "../../src/proxy/log-fields.js";

describe("toLogFields", () => {
  const facts = { inbound: "in", outbound: "out", rule: "final" } as const;

  it("writes where a connection comes from and goes as one text each", () => {
    const fields = toLogFields({
      ...facts,
      user: "alice",
      network: "udp",
      source: { host: "192.0.2.7", port: 50_000 },
      destination: { host: "example.com", port: 443 },
    });
    assert.deepEqual(fields, {
      ...facts,
      user: "alice",
      network: "udp",
      source: "192.0.2.7:50000",
      destination: "example.com:443",
    });
  });

  it("puts IPv6 addresses in brackets, and names no user where there is none", () => {
    const fields = toLogFields({
      ...facts,
      network: "tcp",
      source: { host: "::1", port: 1 },
      destination: { host: "2001:db8::1", port: 53 },
    });
    assert.deepEqual(fields, {
      ...facts,
      user: undefined,
      network: "tcp",
      source: "[::1]:1",
      destination: "[2001:db8::1]:53",
    });
  });

  it("leaves the facts as they are", () => {
    const source = Object.freeze({ host: "::1", port: 1 });
    const metadata = Object.freeze({ ...facts, network: "tcp", source, destination: source } as const);
    toLogFields(metadata);
    assert.equal(metadata.source, source);
  });
});
