import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const minimal = { type: "mixed", listen_port: 0 };

describe("inbounds", () => {
  it("are none by default", () => {
    assert.deepEqual(toConfig({}).inbounds, []);
  });

  it("have their defaults", () => {
    assert.deepEqual(toConfig({ inbounds: [minimal] }).inbounds, [
      {
        type: "mixed",
        tag: "0",
        listen: "127.0.0.1",
        listen_port: 0,
        users: [],
        insecure: false,
        udp_timeout: 300_000,
      },
    ]);
  });

  it("keep what is given", () => {
    const inbound = {
      insecure: true,
      type: "mixed",
      tag: "in",
      listen: "::1",
      listen_port: 65_535,
      users: [{ username: "alice", password: "secret" }],
    };
    assert.deepEqual(toConfig({ inbounds: [{ ...inbound, udp_timeout: "1m30s" }] }).inbounds, [
      { ...inbound, udp_timeout: 90_000 },
    ]);
  });

  it("may be a single one", () => {
    assert.deepEqual(toConfig({ inbounds: minimal }), toConfig({ inbounds: [minimal] }));
  });

  it("are called by their index if they have no tag", () => {
    const { inbounds } = toConfig({ inbounds: [minimal, { ...minimal, tag: "in" }, minimal] });
    assert.deepEqual(
      inbounds.map(({ tag }) => tag),
      ["0", "in", "2"],
    );
  });

  for (const listen of ["127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1", "192.168.1.20"]) {
    it(`listen on ${listen}`, () => {
      const [inbound] = toConfig({ inbounds: { ...minimal, listen, insecure: true } }).inbounds;
      assert.equal(inbound?.listen, listen);
    });
  }

  for (const type of ["mixed", "socks"]) {
    it(`give up on packets of type ${type} when they are told to, by default after five minutes`, () => {
      const timeoutOf = (udp_timeout?: string) => {
        const [inbound] = toConfig({ inbounds: { ...minimal, type, udp_timeout } }).inbounds;
        assert.ok(inbound?.type === type && inbound.type !== "http");
        return inbound.udp_timeout;
      };
      assert.deepEqual([timeoutOf(), timeoutOf("300ms"), timeoutOf("2h")], [300_000, 300, 7_200_000]);
    });
  }

  it("know nothing of packets where their type is http", () => {
    const [issue] = issueLines({ inbounds: { ...minimal, type: "http", udp_timeout: "5m" } });
    assert.match(issue ?? "", /^inbounds\.udp_timeout: unknown key; /);
  });

  for (const port of [0, 1, 80, 65_535]) {
    it(`listen on port ${port}`, () => {
      assert.equal(toConfig({ inbounds: { ...minimal, listen_port: port } }).inbounds[0]?.listen_port, port);
    });
  }
});

describe("a wrong inbound", () => {
  const address = 'expected an IP address without brackets, such as "127.0.0.1" or "::"';
  const port = "expected a port number from 0 to 65535";
  const tag = 'expected a tag that is not empty, does not contain ">>>" and does not end with ">"';
  const type = 'expected one of "mixed", "socks", "http", "direct"';
  const keys = '"type", "tag", "listen", "listen_port", "users", "insecure", "udp_timeout"';
  const cases: readonly (readonly [inbound: unknown, issue: string])[] = [
    [{ ...minimal, listen: "localhost" }, `inbounds[0].listen: ${address}, got "localhost"`],
    [{ ...minimal, listen: "[::1]" }, `inbounds[0].listen: ${address}, got "[::1]"`],
    [{ ...minimal, listen: "127.0.0.1:80" }, `inbounds[0].listen: ${address}, got "127.0.0.1:80"`],
    [{ ...minimal, listen: "" }, `inbounds[0].listen: ${address}, got ""`],
    [{ ...minimal, listen: 1 }, `inbounds[0].listen: ${address}, got 1`],
    [{ type: "mixed" }, `inbounds[0].listen_port: missing; ${port}`],
    [{ type: "mixed", listen_port: -1 }, `inbounds[0].listen_port: ${port}, got -1`],
    [{ type: "mixed", listen_port: 65_536 }, `inbounds[0].listen_port: ${port}, got 65536`],
    [{ type: "mixed", listen_port: 1.5 }, `inbounds[0].listen_port: ${port}, got 1.5`],
    [{ type: "mixed", listen_port: 1e300 }, `inbounds[0].listen_port: ${port}, got 1e+300`],
    [{ type: "mixed", listen_port: Infinity }, `inbounds[0].listen_port: ${port}, got Infinity`],
    [{ type: "mixed", listen_port: "80" }, `inbounds[0].listen_port: ${port}, got "80"`],
    [{ type: "mixed", listen_port: null }, `inbounds[0].listen_port: ${port}, got null`],
    [{ ...minimal, tag: "" }, `inbounds[0].tag: ${tag}, got ""`],
    [{ ...minimal, tag: "a>>>b" }, `inbounds[0].tag: ${tag}, got "a>>>b"`],
    [{ ...minimal, tag: 1 }, `inbounds[0].tag: ${tag}, got 1`],
    [{ type: "tun", listen_port: -1, mtu: 9000 }, `inbounds[0].type: ${type}, got "tun"`],
    [{ type: ["mixed"], listen_port: 0 }, `inbounds[0].type: ${type}, got a list`],
    [{ listen_port: 0 }, `inbounds[0].type: missing; ${type}`],
    [{ ...minimal, sniff: true }, `inbounds[0].sniff: unknown key; expected one of ${keys}`],
    ["mixed", "inbounds[0]: expected an object, got a string"],
    [[minimal], "inbounds[0]: expected an object, got a list"],
    [null, "inbounds[0]: expected an object, got null"],
  ];
  for (const [inbound, issue] of cases) {
    it(`is ${JSON.stringify(inbound)}`, () => {
      assert.deepEqual(issueLines({ inbounds: [inbound] }), [issue]);
    });
  }

  it("has no index in its path if it stands for a list", () => {
    assert.deepEqual(issueLines({ inbounds: { ...minimal, sniff: true } }), [
      `inbounds.sniff: unknown key; expected one of ${keys}`,
    ]);
    assert.deepEqual(issueLines({ inbounds: "a" }), ["inbounds: expected an object, got a string"]);
  });
});
