import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines } from "./issues.js";

const inbound = (listen_port: unknown, listen?: unknown) => ({
  ...{ type: "mixed", listen_port, listen, insecure: true },
});
const direct = (listen_port: number, network?: unknown) => ({
  ...{ type: "direct", listen_port, network, override_address: "192.0.2.1" },
});
const api = (listen: string | readonly string[]) => ({ v2ray_api: { listen, insecure: true } });

describe("listeners", () => {
  const fine: readonly (readonly [what: string, config: unknown])[] = [
    ["on different ports", { inbounds: [inbound(80), inbound(81)], experimental: api("127.0.0.1:82") }],
    ["on different addresses", { inbounds: [inbound(80), inbound(80, "127.0.0.2")] }],
    ["on one address and all", { inbounds: [inbound(80), inbound(80, "0.0.0.0"), inbound(80, "::")] }],
    ["all on any free port", { inbounds: [inbound(0), inbound(0)], experimental: api("127.0.0.1:0") }],
    ["by name and by address", { inbounds: [inbound(80)], experimental: api("localhost:80") }],
    ["for TCP and for UDP", { inbounds: [inbound(80), direct(80, "udp")] }],
    ["of one kind each", { inbounds: [direct(53, "udp"), direct(53, ["tcp"])], experimental: api(":53") }],
    ["on a port and on sockets", { experimental: api(["127.0.0.1:1", "unix:/a", "unix:/b", "[::1]:1"]) }],
    ["any free port twice", { experimental: api(["127.0.0.1:0", "127.0.0.1:0"]) }],
    ["of which one is off", { inbounds: [inbound(80)], experimental: api("") }],
  ];
  for (const [what, config] of fine) {
    it(`may be ${what}`, () => {
      assert.deepEqual(issueLines(config), []);
    });
  }

  const own = "expected an address and port of its own";
  const clashes: readonly (readonly [what: string, config: unknown, issue: string])[] = [
    [
      "two inbounds",
      { inbounds: [inbound(80), inbound(80)] },
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:80, where inbounds[0] listens`,
    ],
    [
      "two inbounds, one of which says the default address",
      { inbounds: [inbound(80, "127.0.0.1"), inbound(80)] },
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:80, where inbounds[0] listens`,
    ],
    [
      "one for both and one for UDP",
      { inbounds: [direct(53), direct(53, "udp")] },
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:53, where inbounds[0] listens`,
    ],
    [
      "one for TCP and one for both",
      { inbounds: [inbound(53), direct(53)] },
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:53, where inbounds[0] listens`,
    ],
    [
      "one for UDP twice, and the API beside it",
      { inbounds: [direct(53, "udp"), direct(53, ["udp", "udp"])], experimental: api("127.0.0.1:53") },
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:53, where inbounds[0] listens`,
    ],
    [
      "two inbounds on IPv6",
      { inbounds: [inbound(80, "::1"), inbound(80, "::1")] },
      `inbounds[1].listen_port: ${own}, got [::1]:80, where inbounds[0] listens`,
    ],
    [
      "an inbound and the API",
      { inbounds: inbound(80), experimental: api("127.0.0.1:80") },
      `experimental.v2ray_api.listen: ${own}, got 127.0.0.1:80, where inbounds listens`,
    ],
    [
      "an inbound on IPv6 and the API",
      { inbounds: [inbound(80, "::1")], experimental: api("[::1]:80") },
      `experimental.v2ray_api.listen: ${own}, got [::1]:80, where inbounds[0] listens`,
    ],
  ];
  const apiClashes: readonly (readonly [listen: readonly string[], issue: string])[] = [
    [["127.0.0.1:1", "127.0.0.1:1"], `${own}, got 127.0.0.1:1, where experimental.v2ray_api listens`],
    [
      ["unix:/a/b", "unix:/a//b"],
      "expected a socket of its own, got unix:/a/b, where experimental.v2ray_api listens",
    ],
  ];
  for (const [listen, issue] of apiClashes) {
    it(`must not be the same in one list: ${listen.join(", ")}`, () => {
      assert.deepEqual(issueLines({ experimental: api(listen) }), [
        `experimental.v2ray_api.listen[1]: ${issue}`,
      ]);
    });
  }

  for (const [what, config, issue] of clashes) {
    it(`must not be the same: ${what}`, () => {
      assert.deepEqual(issueLines(config), [issue]);
    });
  }

  it("are compared also where something else is wrong", () => {
    assert.deepEqual(issueLines({ inbounds: [inbound(80), { ...inbound(80), type: "tun" }] }), [
      'inbounds[1].type: expected one of "mixed", "socks", "http", "direct", got "tun"',
      `inbounds[1].listen_port: ${own}, got 127.0.0.1:80, where inbounds[0] listens`,
    ]);
  });

  it("are not compared by addresses and ports that are wrong themselves", () => {
    const wrong = [
      inbound(-1),
      inbound(-1),
      inbound(80, "x"),
      inbound(80, "x"),
      inbound("80"),
      inbound("80"),
    ];
    assert.deepEqual(
      issueLines({ inbounds: wrong }).map((line) => line.slice(0, line.indexOf(":"))),
      [
        "inbounds[0].listen_port",
        "inbounds[1].listen_port",
        "inbounds[2].listen",
        "inbounds[3].listen",
        "inbounds[4].listen_port",
        "inbounds[5].listen_port",
      ],
    );
  });
});
