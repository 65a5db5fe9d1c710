import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { namesEvery } from "../../src/config/v2ray-api.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { defaultLimits } from "./api-limits.js";
import { issueLines } from "./issues.js";

const withApi = (api: unknown) => ({ experimental: { v2ray_api: api } });
const apiOf = (api: unknown) => toConfig(withApi(api)).experimental.v2ray_api;

describe("experimental", () => {
  const defaults = {
    limits: { connections: 65_536, connections_per_source: 4_096 },
    timeouts: { handshake: 15_000, idle: 0, linger: 2_000, http_keep_alive: 60_000 },
    v2ray_api: {
      listen: [],
      secrets: [],
      tls: {
        enabled: false,
        min_version: "1.2",
        client_authentication: "no",
        client_certificate_path: [],
      },
      insecure: false,
      allow_from_proxy: false,
      access_control_allow_origin: [],
      stats: {
        enabled: false,
        inbounds: [],
        outbounds: [],
        users: [],
        max_counters: 1_000_000,
        online_loopback: true,
      },
      metrics: { enabled: true, prefix: "v2ray", users: true },
      limits: defaultLimits,
    },
  };
  for (const config of [{}, { experimental: {} }, withApi({}), withApi({ stats: {} })]) {
    it(`has its defaults in ${JSON.stringify(config)}`, () => {
      assert.deepEqual(toConfig(config).experimental, defaults);
    });
  }

  it("knows the V2Ray API, the limits and the timeouts alone", () => {
    assert.deepEqual(issueLines({ experimental: { clash_api: {} } }), [
      'experimental.clash_api: unknown key; expected one of "v2ray_api", "limits", "timeouts"',
    ]);
    assert.deepEqual(issueLines({ experimental: [] }), ["experimental: expected an object, got a list"]);
  });
});

describe("v2ray_api.listen", () => {
  const good: readonly (readonly [listen: string | readonly string[], addresses: readonly object[]])[] = [
    ["127.0.0.1:10085", [{ host: "127.0.0.1", port: 10_085 }]],
    ["localhost:1", [{ host: "localhost", port: 1 }]],
    ["[::1]:65535", [{ host: "::1", port: 65_535 }]],
    [":8080", [{ host: "", port: 8080 }]],
    ["127.0.0.1:0", [{ host: "127.0.0.1", port: 0 }]],
    ["unix:/run/v2ray-api.sock", [{ path: "/run/v2ray-api.sock" }]],
    ["unix:///run/./a b", [{ path: "/run/a b" }]],
    [
      ["127.0.0.1:1", "unix:/a", "[::1]:0"],
      [{ host: "127.0.0.1", port: 1 }, { path: "/a" }, { host: "::1", port: 0 }],
    ],
    ["", []],
    [[], []],
    [["", ":1"], [{ host: "", port: 1 }]],
  ];
  for (const [listen, addresses] of good) {
    it(`reads ${JSON.stringify(listen)}`, () => {
      assert.deepEqual(apiOf({ listen, insecure: true }).listen, addresses);
    });
  }

  const expected =
    'expected "host:port", "[IPv6]:port" or ":port" with a port from 0 to 65535, "unix:/path", or "" for no API';
  const bad: readonly (readonly [listen: unknown, shown: string])[] = [
    ["127.0.0.1", '"127.0.0.1"'],
    ["127.0.0.1:", '"127.0.0.1:"'],
    ["127.0.0.1:65536", '"127.0.0.1:65536"'],
    ["::1:80", '"::1:80"'],
    ["http://127.0.0.1:80", '"http://127.0.0.1:80"'],
    ["http://admin:s3cret@127.0.0.1:80", '"http://…@127.0.0.1:80"'],
    ["unix:", '"unix:"'],
    ["unix:run/a", '"unix:run/a"'],
    ["unix:/run/", '"unix:/run/"'],
    [10_085, "10085"],
    [null, "null"],
  ];
  for (const [listen, shown] of bad) {
    it(`refuses ${shown}`, () => {
      assert.deepEqual(issueLines(withApi({ listen })), [
        `experimental.v2ray_api.listen: ${expected}, got ${shown}`,
      ]);
    });
  }
});

describe("v2ray_api.access_control_allow_origin", () => {
  it("keeps origins", () => {
    const origins = [
      "https://panel.example",
      "http://localhost:8080",
      "http://[::1]:3000",
      "http://10.0.0.1",
    ];
    assert.deepEqual(apiOf({ access_control_allow_origin: origins }).access_control_allow_origin, origins);
  });

  it("may be a single origin", () => {
    assert.deepEqual(
      apiOf({ access_control_allow_origin: "https://panel.example" }).access_control_allow_origin,
      ["https://panel.example"],
    );
  });

  const bad: readonly unknown[] = [
    "*",
    "https://*.example",
    "null",
    "",
    "panel.example",
    "https://panel.example/",
    "https://panel.example/path",
    "https://panel.example:443",
    "https://PANEL.example",
    "HTTPS://panel.example",
    "https://panel.example:99999",
    "https://",
    "ftp://panel.example",
    "file:///etc/passwd",
    5,
    null,
  ];
  for (const origin of bad) {
    it(`refuses ${JSON.stringify(origin)}`, () => {
      assert.deepEqual(issueLines(withApi({ access_control_allow_origin: ["https://ok.example", origin] })), [
        "experimental.v2ray_api.access_control_allow_origin[1]: expected an origin as browsers write it, " +
          `such as "https://panel.example" (no path, no "*"), got ${JSON.stringify(origin)}`,
      ]);
    });
  }

  it("does not show the password in an origin", () => {
    assert.deepEqual(
      issueLines(withApi({ access_control_allow_origin: "https://al:s3cret@panel.example" })),
      [
        "experimental.v2ray_api.access_control_allow_origin: expected an origin as browsers write it, " +
          'such as "https://panel.example" (no path, no "*"), got "https://…@panel.example"',
      ],
    );
  });
});

describe("v2ray_api.stats", () => {
  const config = (stats: unknown) => ({
    inbounds: { type: "mixed", tag: "in", listen_port: 0, users: { username: "alice", password: "secret" } },
    ...withApi({ stats }),
  });

  it("keeps what is given", () => {
    const stats = {
      enabled: true,
      inbounds: ["in"],
      outbounds: ["direct"],
      users: ["alice"],
      max_counters: 6,
      online_loopback: false,
    };
    assert.deepEqual(toConfig(config(stats)).experimental.v2ray_api.stats, stats);
  });

  it("takes a single name for a list", () => {
    const stats = { inbounds: "in", outbounds: "direct", users: "alice" };
    assert.deepEqual(toConfig(config(stats)).experimental.v2ray_api.stats, {
      enabled: false,
      inbounds: ["in"],
      outbounds: ["direct"],
      users: ["alice"],
      max_counters: 1_000_000,
      online_loopback: true,
    });
  });

  it("counts a repeated name once", () => {
    const stats = { inbounds: ["in", "in"], outbounds: ["direct", "direct"], users: ["alice", "alice"] };
    assert.deepEqual(toConfig(config(stats)).experimental.v2ray_api.stats, {
      enabled: false,
      inbounds: ["in"],
      outbounds: ["direct"],
      users: ["alice"],
      max_counters: 1_000_000,
      online_loopback: true,
    });
  });

  it("keeps the wildcard, alone and beside names", () => {
    const stats = { inbounds: "*", outbounds: ["direct", "*", "*"], users: ["*", "alice"] };
    const { inbounds, outbounds, users } = toConfig(config(stats)).experimental.v2ray_api.stats;
    assert.deepEqual([inbounds, outbounds, users], [["*"], ["direct", "*"], ["*", "alice"]]);
  });

  for (const [names, isEvery] of [
    [[], false],
    [["alice", "**", "a*"], false],
    [["*"], true],
    [["alice", "*"], true],
  ] as const) {
    it(`names ${isEvery ? "all there are" : "only those it names"} with ${JSON.stringify(names)}`, () => {
      assert.equal(namesEvery(names), isEvery);
    });
  }

  for (const max of [2, 6, 1_000_000, 16_777_216]) {
    it(`may have up to ${max} counters`, () => {
      assert.equal(toConfig(config({ max_counters: max })).experimental.v2ray_api.stats.max_counters, max);
      assert.equal(new CounterStore({ maxCounters: max }).maxCounters, max);
    });
  }

  const range = "a whole number from 2 to 16777216";
  const bad: readonly (readonly [stats: unknown, issue: string])[] = [
    [{ max_counters: 0 }, `stats.max_counters: expected ${range}, got 0`],
    [{ max_counters: 1 }, `stats.max_counters: expected ${range}, got 1`],
    [{ max_counters: -6 }, `stats.max_counters: expected ${range}, got -6`],
    [{ max_counters: 6.5 }, `stats.max_counters: expected ${range}, got 6.5`],
    [{ max_counters: 16_777_217 }, `stats.max_counters: expected ${range}, got 16777217`],
    [{ max_counters: "6" }, `stats.max_counters: expected ${range}, got "6"`],
    [{ max_counters: null }, `stats.max_counters: expected ${range}, got null`],
    [{ online_loopback: "no" }, 'stats.online_loopback: expected true or false, got "no"'],
    [{ online_loopback: 0 }, "stats.online_loopback: expected true or false, got 0"],
    [{ enabled: "true" }, 'stats.enabled: expected true or false, got "true"'],
    [{ users: [1] }, 'stats.users[0]: expected a user name of some inbound or "*", got 1'],
    [
      { users: { username: "alice" } },
      'stats.users: expected a user name of some inbound or "*", got an object',
    ],
    [{ inbounds: [null] }, 'stats.inbounds[0]: expected the tag of an inbound or "*", got null'],
    [
      { user: ["alice"] },
      'stats.user: unknown key; expected one of "enabled", "inbounds", "outbounds", "users", "max_counters", "online_loopback"',
    ],
    [true, "stats: expected an object, got a boolean"],
  ];
  for (const [stats, issue] of bad) {
    it(`refuses ${JSON.stringify(stats)}`, () => {
      assert.deepEqual(issueLines(config(stats)), [`experimental.v2ray_api.${issue}`]);
    });
  }
});

describe("v2ray_api.metrics", () => {
  it("takes another prefix, leaves users out, or serves nothing", () => {
    const metrics = { enabled: false, prefix: "xray", users: false };
    assert.deepEqual(apiOf({ metrics }).metrics, metrics);
  });

  const bad: readonly (readonly [metrics: unknown, issue: string])[] = [
    [{ prefix: "sing" }, 'metrics.prefix: expected one of "v2ray", "xray", got "sing"'],
    [{ prefix: "" }, 'metrics.prefix: expected one of "v2ray", "xray", got ""'],
    [{ users: ["alice"] }, "metrics.users: expected true or false, got a list"],
    [{ enabled: 1 }, "metrics.enabled: expected true or false, got 1"],
    [{ path: "/m" }, 'metrics.path: unknown key; expected one of "enabled", "prefix", "users"'],
    [false, "metrics: expected an object, got a boolean"],
  ];
  for (const [metrics, issue] of bad) {
    it(`refuses ${JSON.stringify(metrics)}`, () => {
      assert.deepEqual(issueLines(withApi({ metrics })), [`experimental.v2ray_api.${issue}`]);
    });
  }
});
