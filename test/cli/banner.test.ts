import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatBanner } from "../../src/cli/banner.js";
import { toConfig } from "../../src/config/to-config.js";

const addresses = {
  inbounds: [{ tag: "mixed-in", type: "mixed", address: { host: "127.0.0.1", port: 2080 } }],
  api: [{ host: "127.0.0.1", port: 10_085 }],
};

function bannerOf(stats: object, { inbounds, api }: Partial<typeof addresses> = addresses): string[] {
  const users = ["alice", "bob"].map((name) => ({ username: name, password: name }));
  const config = toConfig({
    inbounds: [{ type: "mixed", tag: "mixed-in", listen_port: 2080, users }],
    outbounds: ["direct", "other"].map((tag) => ({ type: "direct", tag })),
    experimental: { v2ray_api: { stats } },
  });
  return formatBanner(config, { inbounds: inbounds ?? [], api: api ?? [] }).split("\n");
}

function queryAt(address: string): string {
  const path = "v2ray.core.app.stats.command.StatsService/QueryStats";
  return `try                  curl -s 'http://${address}/${path}' -H 'content-type: application/json' -d '{}'`;
}

describe("formatBanner", () => {
  it("says where the program listens, what it counts and what to try", () => {
    const stats = { enabled: true, inbounds: "mixed-in", outbounds: ["direct", "other"], users: ["bob"] };
    assert.deepEqual(bannerOf(stats), [
      "inbound mixed-in     mixed on 127.0.0.1:2080",
      "v2ray api            127.0.0.1:10085",
      "counting             inbounds mixed-in; outbounds direct, other; users bob",
      queryAt("127.0.0.1:10085"),
      "",
    ]);
  });

  it("has nothing to try where the API is off", () => {
    assert.deepEqual(bannerOf({ enabled: true, users: "alice" }, { inbounds: addresses.inbounds }), [
      "inbound mixed-in     mixed on 127.0.0.1:2080",
      'v2ray api            off: "experimental.v2ray_api.listen" is empty',
      "counting             users alice",
      "",
    ]);
  });

  it("has a line for each inbound, in order", () => {
    const inbound = (tag: string, host: string, port: number) => ({
      tag,
      type: "mixed",
      address: { host, port },
    });
    const inbounds = [inbound("0", "::1", 1), inbound("a tag that is longer than its column", "0.0.0.0", 2)];
    assert.deepEqual(bannerOf({}, { inbounds }).slice(0, 2), [
      "inbound 0            mixed on [::1]:1",
      "inbound a tag that is longer than its column mixed on 0.0.0.0:2",
    ]);
  });

  const counted: readonly (readonly [stats: object, text: string])[] = [
    [{}, 'nothing: "experimental.v2ray_api.stats.enabled" is false'],
    [{ enabled: false, users: ["alice"] }, 'nothing: "experimental.v2ray_api.stats.enabled" is false'],
    [{ enabled: true }, 'nothing: "experimental.v2ray_api.stats" lists no inbounds, outbounds or users'],
    [{ enabled: true, inbounds: ["mixed-in"] }, "inbounds mixed-in"],
    [{ enabled: true, users: ["bob", "alice"], outbounds: "other" }, "outbounds other; users bob, alice"],
    [{ enabled: true, users: "*" }, "every user"],
    [
      { enabled: true, inbounds: ["*"], outbounds: "*", users: "*" },
      "every inbound; every outbound; every user",
    ],
    [{ enabled: true, inbounds: ["mixed-in"], users: ["bob", "*"] }, "inbounds mixed-in; every user"],
  ];
  for (const [stats, text] of counted) {
    it(`says what is counted with ${JSON.stringify(stats)}`, () => {
      assert.equal(bannerOf(stats)[2], `counting             ${text}`);
    });
  }

  for (const api of [{ secret: "s3cret" }, { secrets: { name: "a", secret: "s3cret" } }]) {
    it(`shows where a secret goes, and none, with ${Object.keys(api)[0]}`, () => {
      const config = toConfig({ experimental: { v2ray_api: { listen: "127.0.0.1:1", ...api } } });
      const banner = formatBanner(config, { inbounds: [], api: [{ host: "127.0.0.1", port: 1 }] });
      assert.match(banner, / -H "authorization: Bearer \$V2RAY_API_SECRET" -d '\{\}'$/m);
      assert.doesNotMatch(banner, /s3cret/);
    });
  }

  it("has a line for each address of the API, and says how to reach the first one", () => {
    const path = "v2ray.core.app.stats.command.StatsService/QueryStats";
    const api = [{ path: "/run/a.sock" }, { host: "127.0.0.1", port: 1 }];
    const tls = { enabled: true, certificate_path: "c", key_path: "k" };
    for (const [addresses, isEncrypted, shown, tried] of [
      [api, false, ["unix:/run/a.sock", "127.0.0.1:1"], "--unix-socket '/run/a.sock' 'http://localhost"],
      [api, true, ["unix:/run/a.sock", "127.0.0.1:1, TLS"], "--unix-socket '/run/a.sock' 'http://localhost"],
      [api.slice(1), true, ["127.0.0.1:1, TLS"], "'https://127.0.0.1:1"],
    ] as const) {
      const config = toConfig({ experimental: { v2ray_api: isEncrypted ? { tls } : {} } });
      const lines = formatBanner(config, { inbounds: [], api: addresses }).split("\n");
      assert.deepEqual(
        lines.slice(0, shown.length),
        shown.map((address) => `v2ray api            ${address}`),
      );
      assert.ok(lines.at(-2)?.startsWith(`try                  curl -s ${tried}/${path}' `), lines.at(-2));
    }
  });

  const listens: readonly (readonly [host: string, shown: string, tried: string])[] = [
    ["", "every address, port 10085", "127.0.0.1:10085"],
    ["0.0.0.0", "0.0.0.0:10085", "127.0.0.1:10085"],
    ["::", "[::]:10085", "[::1]:10085"],
    ["::1", "[::1]:10085", "[::1]:10085"],
    ["192.0.2.7", "192.0.2.7:10085", "192.0.2.7:10085"],
    ["localhost", "localhost:10085", "localhost:10085"],
  ];
  for (const [host, shown, tried] of listens) {
    it(`shows an API that listens on ${JSON.stringify(host)}, and an address to reach it at`, () => {
      const lines = bannerOf({}, { api: [{ host, port: 10_085 }] });
      assert.equal(lines[0], `v2ray api            ${shown}`);
      assert.equal(lines[2], queryAt(tried));
    });
  }
});
