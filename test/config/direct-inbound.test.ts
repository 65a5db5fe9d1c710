import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const minimal = { type: "direct", listen_port: 5353, override_address: "192.0.2.1" };

describe("an inbound of type direct", () => {
  it("takes TCP and UDP by default, and leads to the port that it listens on", () => {
    assert.deepEqual(toConfig({ inbounds: minimal }).inbounds, [
      { ...minimal, tag: "0", listen: "127.0.0.1", network: ["tcp", "udp"], udp_timeout: 300_000 },
    ]);
  });

  it("keeps what is given", () => {
    const inbound = {
      ...{ type: "direct", tag: "dns", listen: "::", listen_port: 0, network: ["udp"] },
      ...{ override_address: "ns.example", override_port: 53 },
    };
    assert.deepEqual(toConfig({ inbounds: { ...inbound, udp_timeout: "90s" } }).inbounds, [
      { ...inbound, udp_timeout: 90_000 },
    ]);
  });

  it("may name a single network", () => {
    const [inbound] = toConfig({ inbounds: { ...minimal, network: "tcp" } }).inbounds;
    assert.ok(inbound?.type === "direct");
    assert.deepEqual(inbound.network, ["tcp"]);
  });

  for (const host of ["192.0.2.53", "::1", "db", "db.example", "xn--bcher-kva.example", "_dns.example"]) {
    it(`leads to ${host}`, () => {
      assert.deepEqual(issueLines({ inbounds: { ...minimal, override_address: host } }), []);
    });
  }

  const host = "expected an IP address without brackets, or a host name";
  const port = "expected a port number from 1 to 65535";
  const wrong: readonly (readonly [title: string, change: object, issue: string])[] = [
    ["no address", { override_address: undefined }, `override_address: missing; ${host}`],
    ["an empty address", { override_address: "" }, `override_address: ${host}, got ""`],
    ["an address with a port", { override_address: "db:5432" }, `override_address: ${host}, got "db:5432"`],
    ["an address in brackets", { override_address: "[::1]" }, `override_address: ${host}, got "[::1]"`],
    ["a URL", { override_address: "http://db/" }, `override_address: ${host}, got "http://db/"`],
    ["a name with a blank", { override_address: "a b" }, `override_address: ${host}, got "a b"`],
    ["port 0", { override_port: 0 }, `override_port: ${port}, got 0`],
    ["a port out of range", { override_port: 65_536 }, `override_port: ${port}, got 65536`],
    ["a port in quotes", { override_port: "53" }, `override_port: ${port}, got "53"`],
    ["another network", { network: "sctp" }, `network: expected one of "tcp", "udp", got "sctp"`],
    ["no network", { network: [] }, `network: expected one of "tcp", "udp"`],
  ];
  for (const [title, change, issue] of wrong) {
    it(`is refused with ${title}`, () => {
      assert.deepEqual(issueLines({ inbounds: [{ ...minimal, ...change }] }), [`inbounds[0].${issue}`]);
    });
  }

  it("is refused with users, since nobody can log in", () => {
    const [issue = "", ...others] = issueLines({ inbounds: { ...minimal, users: [] } });
    assert.match(issue, /^inbounds\.users: unknown key; expected one of .*"override_address"/);
    assert.deepEqual(others, []);
  });

  it("needs a port to lead to where it listens on any free one", () => {
    assert.deepEqual(issueLines({ inbounds: { ...minimal, listen_port: 0 } }), [
      'inbounds: expected an "override_port", since the "listen_port" is any free one',
    ]);
  });

  it("may not lead to itself", () => {
    const expected = ["inbounds: expected another destination than the inbound itself"];
    const own = { ...minimal, override_address: "127.0.0.1" };
    assert.deepEqual(issueLines({ inbounds: own }), expected);
    assert.deepEqual(issueLines({ inbounds: { ...own, override_port: 5353 } }), expected);
    assert.deepEqual(issueLines({ inbounds: { ...own, override_port: 53 } }), []);
    assert.deepEqual(issueLines({ inbounds: { ...own, listen: "127.0.0.2" } }), []);
  });

  const itself: readonly (readonly [listen: string, address: string])[] = [
    ["127.0.0.1", "localhost"],
    ["127.0.0.1", "LOCALHOST."],
    ["::1", "localhost"],
    ["127.0.0.1", "0.0.0.0"],
    ["::1", "::"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["127.0.0.1", "::ffff:127.0.0.1"],
    ["2001:db8::1", "2001:DB8:0::1"],
    ["0.0.0.0", "0.0.0.0"],
    ["0.0.0.0", "127.0.0.1"],
    ["0.0.0.0", "127.1.2.3"],
    ["0.0.0.0", "localhost"],
    ["::", "::"],
    ["::", "::1"],
    ["::", "localhost"],
    ["::", "127.0.0.1"],
    ["::", "::ffff:127.0.0.1"],
    ["::", "0.0.0.0"],
  ];
  const others: readonly (readonly [listen: string, address: string])[] = [
    ["127.0.0.2", "localhost"],
    ["127.0.0.2", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "::1"],
    ["0.0.0.0", "::1"],
    ["0.0.0.0", "192.0.2.1"],
    ["::", "2001:db8::1"],
    ["::", "localhost.example"],
    ["192.0.2.1", "0.0.0.0"],
  ];
  for (const [listen, address] of itself) {
    it(`may not lead from ${listen} to its own port of ${address}, but to another`, () => {
      const inbound = { ...minimal, listen, override_address: address };
      const expected = ["inbounds: expected another destination than the inbound itself"];
      assert.deepEqual(issueLines({ inbounds: inbound }), expected);
      assert.deepEqual(issueLines({ inbounds: { ...inbound, override_port: 5354 } }), []);
    });
  }
  for (const [listen, address] of others) {
    it(`may lead from ${listen} to its own port of ${address}`, () => {
      assert.deepEqual(issueLines({ inbounds: { ...minimal, listen, override_address: address } }), []);
    });
  }
});
