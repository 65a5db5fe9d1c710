import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "jsonc-parser";
import { createConfigJsonSchema } from "../../src/config/json-schema.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { rootPath } from "../helpers/cli.js";
import { textIssueLines } from "./issues.js";

const schema = createConfigJsonSchema();
const validate = new Ajv2020({
  strict: true,
  strictRequired: true,
  strictTypes: true,
  allErrors: true,
}).compile(schema);

const path = "config.schema.json";
const examples = join(rootPath, "examples");

/** Each property of each object that the schema describes, with its path; each once. */
function propertiesIn(part: unknown, at = ""): readonly (readonly [path: string, property: object])[] {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    if (["if", "then", "else"].includes(key)) return [];
    const inside = propertiesIn(value, `${at}/${key}`);
    if (key !== "properties" || typeof value !== "object" || value === null) return inside;
    const own = Object.entries(value).map(([name, property]: [string, object]) => {
      return [`${at}/properties/${name}`, property] as const;
    });
    return [...own, ...inside];
  });
}

/** Every object that a JSON value consists of. */
function partsOf(value: unknown): readonly object[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(partsOf)];
}

describe("createConfigJsonSchema", () => {
  it("is JSON Schema of the draft 2020-12", () => {
    assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
    assert.equal(new Ajv2020({ strict: true }).validateSchema(schema), true);
  });

  it(`is what ${path} has`, () => {
    const committed: unknown = JSON.parse(readFileSync(join(rootPath, path), "utf8"));
    assert.deepEqual(committed, JSON.parse(JSON.stringify(schema)));
  });

  it("is new each time", () => {
    assert.notEqual(createConfigJsonSchema(), schema);
    assert.deepEqual(createConfigJsonSchema(), schema);
  });

  it("describes every property", () => {
    const properties = propertiesIn(schema);
    assert.ok(properties.length > 30);
    assert.deepEqual(
      properties.filter(([, property]) => !("description" in property)).map(([at]) => at),
      [],
    );
  });

  it("lets no object have other properties than those it describes", () => {
    const objects = partsOf(schema).filter((part) => "type" in part && part.type === "object");
    assert.ok(objects.length > 10);
    assert.deepEqual(
      objects.filter((part) => !("additionalProperties" in part) || part.additionalProperties !== false),
      [],
    );
  });
});

describe("an example config", () => {
  const files = readdirSync(examples).filter((name) => name.endsWith(".json"));

  it("is there", () => {
    assert.ok(files.includes("config.json"));
  });

  for (const file of files) {
    const text = readFileSync(join(examples, file), "utf8");

    it(`is right by the schema: ${file}`, () => {
      validate(parse(text, [], { allowTrailingComma: true }));
      assert.deepEqual(validate.errors, null);
    });

    it(`names the schema first: ${file}`, () => {
      const config = parse(text) as Record<string, unknown>;
      assert.equal(Object.keys(config)[0], "$schema");
      assert.equal(join(examples, String(config["$schema"])), join(rootPath, path));
    });
  }
});

describe("the schema", () => {
  const user = { username: "alice", password: "a" };
  const mixed = { type: "mixed", listen_port: 0 };
  const direct = { type: "direct" };
  const socks = { type: "socks", server: "proxy.example", server_port: 1080 };
  const http = { type: "http", server: "2001:db8::1", server_port: 8080 };

  const right: readonly object[] = [
    {},
    { $schema: "https://example.com/config.schema.json" },
    { log: {} },
    { log: { disabled: true, level: "panic", output: "/var/log/x", timestamp: false } },
    { inbounds: [] },
    { inbounds: mixed },
    { inbounds: [mixed, { ...mixed, type: "socks" }, { ...mixed, type: "http" }] },
    { inbounds: { type: "socks", tag: "a", listen: "::1", listen_port: 65_535, users: [user] } },
    { inbounds: { type: "http", listen_port: 1, users: user } },
    { inbounds: { type: "http", listen_port: 1, listen: "::", insecure: true } },
    { experimental: { v2ray_api: { listen: "127.0.0.1:1", allow_from_proxy: true } } },
    { inbounds: [{ ...mixed, users: [] }] },
    { outbounds: [] },
    { outbounds: direct },
    { outbounds: [direct, { type: "direct", tag: "b" }, { type: "block" }, { type: "block", tag: "d" }] },
    { outbounds: { ...direct, connect_timeout: "1m30s" } },
    { outbounds: [socks, { ...socks, version: "5", network: "udp", username: "alice", password: "" }] },
    { outbounds: { ...socks, network: ["tcp", "udp"], connect_timeout: "300ms" } },
    { outbounds: [http, { ...http, tls: {} }, { ...http, username: "alice", password: "a" }] },
    {
      outbounds: {
        ...http,
        tls: { enabled: true, server_name: "a.example", insecure: false, certificate_path: "ca.pem" },
      },
    },
    { route: {} },
    { route: { rules: [] } },
    { route: { final: "direct" } },
    { inbounds: mixed, route: { rules: { inbound: "0", outbound: "direct" } } },
    {
      inbounds: { ...mixed, users: user },
      outbounds: [direct, { type: "block" }],
      route: {
        rules: [
          { inbound: ["0"], auth_user: ["alice"], action: "route", outbound: "0" },
          { auth_user: "alice", outbound: "1" },
        ],
        final: "1",
      },
    },
    { route: { rules: { ip_is_private: true, action: "reject" } } },
    {
      route: {
        rules: [{ ip_is_private: false, invert: false, port: 80, action: "route", outbound: "direct" }],
      },
    },
    {
      inbounds: { ...mixed, users: user },
      route: {
        rules: [
          {
            network: "udp",
            domain: "a.test",
            domain_suffix: ".b.test",
            domain_keyword: "c",
            outbound: "direct",
          },
          { network: ["tcp", "udp"], source_ip_cidr: "::1", ip_cidr: "10.0.0.0/8", action: "reject" },
          { domain: ["a", "b"], domain_suffix: ["a", ".b"], domain_keyword: ["c", "d"], outbound: "direct" },
          {
            source_ip_cidr: ["::1", "::2"],
            ip_cidr: ["10.0.0.0/8", "::/0"],
            outbound: "direct",
            invert: true,
          },
          { port: 0, port_range: "1:2", action: "reject" },
          { port: [80, 65_535], port_range: [":2", "3:"], action: "reject" },
        ],
      },
    },
    { experimental: {} },
    { experimental: { v2ray_api: {} } },
    { experimental: { v2ray_api: { listen: "", stats: {} } } },
    {
      experimental: {
        v2ray_api: { listen: ":1", insecure: true, access_control_allow_origin: "https://panel.example" },
      },
    },
    { experimental: { v2ray_api: { access_control_allow_origin: ["http://a", "http://b"] } } },
    { experimental: { v2ray_api: { stats: { inbounds: "*", outbounds: ["*", "direct"], users: ["*"] } } } },
    { experimental: { limits: { connections: 1, connections_per_source: 16_777_216 } } },
    { experimental: { timeouts: { handshake: "1s", idle: "0", linger: "1m30s", http_keep_alive: "1d" } } },
    { experimental: { v2ray_api: { stats: { max_counters: 2 } } } },
    { experimental: { v2ray_api: { stats: { online_loopback: false } } } },
    { experimental: { v2ray_api: { metrics: { enabled: false, prefix: "xray", users: false } } } },
    { experimental: { v2ray_api: { stats: { max_counters: 16_777_216 } } } },
    {
      inbounds: { ...mixed, users: user },
      experimental: {
        v2ray_api: {
          stats: { enabled: true, inbounds: "0", outbounds: ["direct"], users: ["alice", "alice"] },
        },
      },
    },
  ];
  for (const config of right) {
    const text = JSON.stringify(config);
    it(`takes what parseConfig takes: ${text}`, () => {
      assert.doesNotThrow(() => parseConfig(text));
      validate(JSON.parse(text));
      assert.deepEqual(validate.errors, null);
    });
  }

  const wrong: readonly unknown[] = [
    null,
    [],
    "config",
    { dns: {} },
    { $schema: 5 },
    { log: null },
    { log: "info" },
    { log: { level: "verbose" } },
    { log: { level: "INFO" } },
    { log: { disabled: 1 } },
    { log: { output: ["stderr"] } },
    { log: { colour: true } },
    { inbounds: null },
    { inbounds: "mixed" },
    { inbounds: ["mixed"] },
    { inbounds: [[mixed]] },
    { inbounds: {} },
    { inbounds: { type: "tun", listen_port: 0 } },
    { inbounds: { type: "mixed" } },
    { inbounds: { listen_port: 0 } },
    { inbounds: { ...mixed, listen_port: "80" } },
    { inbounds: { ...mixed, listen_port: -1 } },
    { inbounds: { ...mixed, listen_port: 65_536 } },
    { inbounds: { ...mixed, listen_port: 1.5 } },
    { inbounds: { ...mixed, tag: 5 } },
    { inbounds: { ...mixed, listen: null } },
    { inbounds: { ...mixed, sniff: true } },
    { inbounds: { ...mixed, users: "alice:a" } },
    { inbounds: { ...mixed, users: [{ username: "alice" }] } },
    { inbounds: { ...mixed, users: [{ password: "a" }] } },
    { inbounds: { ...mixed, users: [{ ...user, password: 5 }] } },
    { inbounds: { ...mixed, users: [{ ...user, pass: "a" }] } },
    { outbounds: "direct" },
    { outbounds: [{}] },
    { outbounds: [{ type: "dns" }] },
    { outbounds: [{ type: "block", tag: null }] },
    { outbounds: [{ type: "direct", detour: "x" }] },
    { outbounds: { ...direct, connect_timeout: 5 } },
    { outbounds: { type: "socks", server: "proxy.example" } },
    { outbounds: { type: "http", server_port: 1 } },
    { outbounds: { ...socks, server_port: 0 } },
    { outbounds: { ...socks, server: 5 } },
    { outbounds: { ...socks, version: "4a" } },
    { outbounds: { ...socks, version: 5 } },
    { outbounds: { ...socks, network: "icmp" } },
    { outbounds: { ...socks, username: ["alice"] } },
    { outbounds: { ...socks, tls: {} } },
    { outbounds: { ...socks, udp_over_tcp: true } },
    { outbounds: { ...http, network: "tcp" } },
    { outbounds: { ...http, tls: true } },
    { outbounds: { ...http, tls: { enabled: "true" } } },
    { outbounds: { ...http, tls: { alpn: ["h2"] } } },
    { route: [] },
    { route: { final: 0 } },
    { route: { default: "direct" } },
    { route: { rules: ["direct"] } },
    { route: { rules: [{ inbound: "in" }] } },
    { route: { rules: [{ inbound: 5, outbound: "direct" }] } },
    { route: { rules: [{ inbound: ["in", 5], outbound: "direct" }] } },
    { route: { rules: [{ auth_user: null, outbound: "direct" }] } },
    { route: { rules: [{ inbound: "in", outbound: ["direct"] }] } },
    { route: { rules: [{ inbound: "in", action: "reject", outbound: "direct" }] } },
    { route: { rules: [{ port: 80, action: "reject", outbound: "direct" }] } },
    { route: { rules: [{ port: 80, action: "route" }] } },
    { route: { rules: [{ port: 80, action: "sniff" }] } },
    { route: { rules: [{ port: "80", outbound: "direct" }] } },
    { route: { rules: [{ port: [80, 65_536], outbound: "direct" }] } },
    { route: { rules: [{ port_range: 80, outbound: "direct" }] } },
    { route: { rules: [{ network: "icmp", outbound: "direct" }] } },
    { route: { rules: [{ domain: 5, outbound: "direct" }] } },
    { route: { rules: [{ domain_suffix: [null], outbound: "direct" }] } },
    { route: { rules: [{ ip_cidr: { a: 1 }, outbound: "direct" }] } },
    { route: { rules: [{ ip_is_private: "yes", outbound: "direct" }] } },
    { route: { rules: [{ port: 80, invert: 1, outbound: "direct" }] } },
    { route: { rules: [{ port: 80, rule_set: "x", outbound: "direct" }] } },
    { route: { rules: [{ type: "logical", mode: "and", rules: [], outbound: "direct" }] } },
    { experimental: { clash_api: {} } },
    { experimental: { v2ray_api: { listen: 10_085 } } },
    { experimental: { v2ray_api: { port: 10_085 } } },
    { experimental: { v2ray_api: { access_control_allow_origin: [5] } } },
    { experimental: { v2ray_api: { stats: true } } },
    { experimental: { v2ray_api: { stats: { enabled: "true" } } } },
    { experimental: { v2ray_api: { stats: { online_loopback: "no" } } } },
    { experimental: { v2ray_api: { stats: { user: "alice" } } } },
    { experimental: { v2ray_api: { stats: { users: [user] } } } },
    { experimental: { limits: { connections: 0 } } },
    { experimental: { limits: { connections_per_source: 16_777_217 } } },
    { experimental: { timeouts: { idle: 0 } } },
    { experimental: { timeouts: { connect: "1s" } } },
    { experimental: { v2ray_api: { stats: { max_counters: 1 } } } },
    { experimental: { v2ray_api: { metrics: { enabled: "yes" } } } },
    { experimental: { v2ray_api: { metrics: { prefix: "v2ray_" } } } },
    { experimental: { v2ray_api: { stats: { max_counters: 2.5 } } } },
    { experimental: { v2ray_api: { stats: { max_counters: 16_777_217 } } } },
    { experimental: { v2ray_api: { stats: { max_counters: "many" } } } },
  ];
  for (const config of wrong) {
    const text = JSON.stringify(config);
    it(`refuses what parseConfig refuses: ${text}`, () => {
      assert.notDeepEqual(textIssueLines(text), []);
      assert.equal(validate(JSON.parse(text)), false);
    });
  }
});
