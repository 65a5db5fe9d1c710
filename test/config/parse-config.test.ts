import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../src/config/parse-config.js";
import { blamedText, configErrorOf, textIssueLines } from "./issues.js";
import { defaultLimits } from "./api-limits.js";

describe("parseConfig", () => {
  it("reads a whole config", () => {
    const text = `{
      "log": { "disabled": false, "level": "debug", "output": "stdout", "timestamp": false },
      "inbounds": [
        { "type": "mixed", "tag": "in", "listen": "::", "listen_port": 2080,
          "users": [{ "username": "alice", "password": "a" }, { "username": "bob", "password": "b" }] },
        { "type": "mixed", "listen_port": 0 }
      ],
      "outbounds": [{ "type": "direct", "tag": "out" }, { "type": "direct" }],
      "route": { "final": "1" },
      "experimental": { "v2ray_api": {
        "listen": "[::1]:10085",
        "access_control_allow_origin": ["https://panel.example"],
        "stats": { "enabled": true, "inbounds": ["in", "1"], "outbounds": ["out"], "users": ["bob"] }
      } }
    }`;
    assert.deepEqual(parseConfig(text), {
      log: { disabled: false, level: "debug", output: "stdout", format: "text", timestamp: false },
      inbounds: [
        {
          type: "mixed",
          udp_timeout: 300_000,
          tag: "in",
          listen: "::",
          listen_port: 2080,
          users: [
            { username: "alice", password: "a" },
            { username: "bob", password: "b" },
          ],
          insecure: false,
        },
        {
          ...{ type: "mixed", tag: "1", listen: "127.0.0.1", listen_port: 0 },
          ...{ users: [], insecure: false, udp_timeout: 300_000 },
        },
      ],
      outbounds: [
        { type: "direct", tag: "out", connect_timeout: 5_000 },
        { type: "direct", tag: "1", connect_timeout: 5_000 },
      ],
      route: { rules: [], final: "1" },
      experimental: {
        limits: { connections: 65_536, connections_per_source: 4_096 },
        timeouts: { handshake: 15_000, idle: 0, linger: 2_000, http_keep_alive: 60_000 },
        v2ray_api: {
          listen: [{ host: "::1", port: 10_085 }],
          secrets: [],
          tls: {
            enabled: false,
            min_version: "1.2",
            client_authentication: "no",
            client_certificate_path: [],
          },
          insecure: false,
          allow_from_proxy: false,
          access_control_allow_origin: ["https://panel.example"],
          stats: {
            enabled: true,
            inbounds: ["in", "1"],
            outbounds: ["out"],
            users: ["bob"],
            max_counters: 1_000_000,
            online_loopback: true,
          },
          metrics: { enabled: true, prefix: "v2ray", users: true },
          limits: defaultLimits,
        },
      },
    });
  });

  const empty = parseConfig("{}");
  const sameAsEmpty: readonly (readonly [what: string, text: string])[] = [
    ["line comments", '// first\n{ // "log": 5\n}\n// last'],
    ["block comments", '/* first */ { /* "log": 5 */ } /* last\n */'],
    ["trailing commas", '{"inbounds": [], "log": {},}'],
    ["a byte order mark", "\uFEFF{}"],
    ["carriage returns", '{\r\n"log": {}\r\n}\r\n'],
  ];
  for (const [what, text] of sameAsEmpty) {
    it(`takes ${what}`, () => {
      assert.deepEqual(parseConfig(text), empty);
    });
  }

  it("takes a trailing comma in a list", () => {
    assert.equal(parseConfig('{"outbounds": [{"type": "direct",},]}').outbounds.length, 1);
  });

  for (const [text, kind] of [
    ["[]", "a list"],
    ["5", "a number"],
    ['"x"', "a string"],
    ["null", "null"],
    ["true", "a boolean"],
  ] as const) {
    it(`refuses ${kind} as a config`, () => {
      assert.deepEqual(textIssueLines(text), [`expected an object, got ${kind}`]);
      assert.deepEqual(blamedText(text), [["", text]]);
    });
  }
});

describe("a config with faults", () => {
  const text = `{
    "log": { "level": "loud", "colour": true }, // every line below is wrong
    "inbounds": [
      { "type": "mixed", "tag": "in", "listen_port": 2080,
        "users": [{ "username": "al:ice", "password": "hunter2", "password": "" }, "bob:hunter2"] },
      { "type": "tun" },
      { "type": "mixed", "tag": "in", "listen_port": 2080 },
      { "type": "mixed", "listen": "localhost", "tag": "a>>>b" }
    ],
    "outbounds": { "type": "direct", "tag": "" },
    "route": { "final": "proxy" },
    "experimental": { "v2ray_api": {
      "listen": "127.0.0.1:2080",
      "access_control_allow_origin": "*",
      "stats": { "enabled": 1, "inbounds": ["in", "out"], "outbounds": ["proxy"] }
    } },
    "__proto__": { "polluted": true }
  }`;

  it("reports every one of them at once, in the order of the text", () => {
    const user = 'expected a user name of 1 to 255 bytes of UTF-8 without ":" and ">>>", not ending with ">"';
    const tag = 'expected a tag that is not empty, does not contain ">>>" and does not end with ">"';
    const v2rayApi = "experimental.v2ray_api";
    assert.deepEqual(textIssueLines(text), [
      'log.level: expected one of "trace", "debug", "info", "warn", "error", "fatal", "panic", got "loud"',
      'log.colour: unknown key; expected one of "disabled", "level", "output", "format", "timestamp"',
      `inbounds[0].users[0].username: ${user}`,
      "inbounds[0].users[0].password: this key is already given; expected it once",
      "inbounds[0].users[0].password: expected a password of 1 to 255 bytes of UTF-8",
      "inbounds[0].users[1]: expected an object, got a string",
      'inbounds[1].type: expected one of "mixed", "socks", "http", "direct", got "tun"',
      'inbounds[2].tag: expected a tag of its own, got "in", already the tag of inbounds[0]',
      "inbounds[2].listen_port: expected an address and port of its own, got 127.0.0.1:2080, where inbounds[0] listens",
      "inbounds[3].listen_port: missing; expected a port number from 0 to 65535",
      'inbounds[3].listen: expected an IP address without brackets, such as "127.0.0.1" or "::", got "localhost"',
      `inbounds[3].tag: ${tag}, got "a>>>b"`,
      `outbounds.tag: ${tag}, got ""`,
      'route.final: expected the tag of an outbound (there is none), got "proxy"',
      `${v2rayApi}.listen: expected an address and port of its own, got 127.0.0.1:2080, where inbounds[0] listens`,
      `${v2rayApi}.access_control_allow_origin: expected an origin as browsers write it, ` +
        'such as "https://panel.example" (no path, no "*"), got "*"',
      `${v2rayApi}.stats.enabled: expected true or false, got 1`,
      `${v2rayApi}.stats.inbounds[1]: expected the tag of an inbound ("in", "1", "a>>>b") or "*", got "out"`,
      `${v2rayApi}.stats.outbounds[0]: expected the tag of an outbound (there is none) or "*", got "proxy"`,
      '__proto__: unknown key; expected one of "$schema", "log", "inbounds", "outbounds", "route", "experimental"',
    ]);
  });

  it("knows the text of each", () => {
    assert.deepEqual(
      blamedText(text).map(([, blamed]) => blamed),
      [
        '"loud"',
        '"colour"',
        '"al:ice"',
        '"password"',
        '""',
        '"bob:hunter2"',
        '"tun"',
        '"in"',
        "2080",
        '{ "type": "mixed", "listen": "localhost", "tag": "a>>>b" }',
        '"localhost"',
        '"a>>>b"',
        '""',
        '"proxy"',
        '"127.0.0.1:2080"',
        '"*"',
        "1",
        '"out"',
        '"proxy"',
        '"__proto__"',
      ],
    );
  });

  it("says nothing of the passwords", () => {
    assert.doesNotMatch(configErrorOf(() => parseConfig(text)).message, /hunter2/);
  });

  it("has an issue for each line of the message", () => {
    const { message, issues } = configErrorOf(() => parseConfig(text));
    const lines = issues.map(({ path, message: sentence, position }) => {
      return `${position?.line}:${position?.column}: ${path}: ${sentence}`;
    });
    assert.equal(lines.join("\n"), message);
  });
});

describe("a repeated key", () => {
  it("is an issue even if both values are fine", () => {
    assert.deepEqual(textIssueLines('{"log": {}, "log": {}}'), [
      "log: this key is already given; expected it once",
    ]);
  });

  it("does not keep the last value from being checked", () => {
    const text = '{"log": {"disabled": 1}, "log": {"disabled": 2}}';
    assert.deepEqual(textIssueLines(text), [
      "log: this key is already given; expected it once",
      "log.disabled: expected true or false, got 2",
    ]);
    assert.deepEqual(blamedText(text), [
      ["log", '"log"'],
      ["log.disabled", "2"],
    ]);
  });

  it("is found in an unknown section, too", () => {
    assert.deepEqual(textIssueLines('{"dns": [{"a": 1, "a": 2}]}'), [
      'dns: unknown key; expected one of "$schema", "log", "inbounds", "outbounds", "route", "experimental"',
      "dns[0].a: this key is already given; expected it once",
    ]);
  });
});

describe("a deeply nested document", () => {
  for (const [what, text] of [
    ["lists", "[".repeat(100_000)],
    ["closed lists", "[".repeat(100_000) + "]".repeat(100_000)],
    ["objects", '{"log":'.repeat(100_000)],
    ["lists in a section", `{"inbounds": ${"[".repeat(100_000)}`],
  ] as const) {
    it(`is refused: ${what}`, () => {
      assert.deepEqual(textIssueLines(text), ["expected at most 100 lists and objects inside each other"]);
    });
  }

  it("is refused at the bracket that is too many", () => {
    const [issue] = configErrorOf(() => parseConfig("[".repeat(101))).issues;
    assert.deepEqual([issue?.offset, issue?.length], [100, 1]);
  });

  it("is checked like any other up to the limit", () => {
    assert.deepEqual(textIssueLines("[".repeat(100) + "]".repeat(100)), ["expected an object, got a list"]);
  });
});
