import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { format, resolveConfig } from "prettier";
import { createConfigJsonSchema } from "../../src/config/json-schema.js";
import { rootPath } from "../helpers/cli.js";
import { defaultLimits } from "./api-limits.js";

const file = join(rootPath, "docs", "configuration.md");
const script = pathToFileURL(join(rootPath, "scripts", "config-reference.mjs")).href;

/** What the script writes, as prettier leaves it in the repository. */
async function generated(): Promise<string> {
  const { formatConfigReference } = (await import(script)) as {
    readonly formatConfigReference: (schema: object) => string;
  };
  const options = await resolveConfig(file);
  return format(formatConfigReference(createConfigJsonSchema()), { ...options, filepath: file });
}

/** The titles of the sections, and the keys that each lists. */
function sectionsOf(markdown: string): Record<string, readonly string[]> {
  const [, ...sections] = markdown.split(/^## /m);
  return Object.fromEntries(
    sections.map((section) => [
      section.slice(0, section.indexOf("\n")),
      Array.from(section.matchAll(/^\| `([^`]+)`/gm), ([, key = ""]) => key),
    ]),
  );
}

describe("docs/configuration.md", () => {
  const markdown = readFileSync(file, "utf8");
  const server = ["type", "tag", "server", "server_port"];
  const listener = ["type", "tag", "listen", "listen_port"];

  it("is what the script makes of the schema", async () => {
    assert.equal(markdown, await generated());
  });

  it("has a section for each object, each type of inbound and outbound on its own, with all of its keys", () => {
    assert.deepEqual(sectionsOf(markdown), {
      "The file": ["$schema", "log", "inbounds", "outbounds", "route", "experimental"],
      "`log`": ["disabled", "level", "output", "format", "timestamp"],
      "`inbounds[]` of type `mixed`": [...listener, "users", "insecure", "udp_timeout"],
      "`inbounds[].users[]`": ["username", "password"],
      "`inbounds[]` of type `socks`": [...listener, "users", "insecure", "udp_timeout"],
      "`inbounds[]` of type `http`": [...listener, "users", "insecure"],
      "`inbounds[]` of type `direct`": [
        ...listener,
        "network",
        "override_address",
        "override_port",
        "udp_timeout",
      ],
      "`outbounds[]` of type `direct`": ["type", "tag", "connect_timeout"],
      "`outbounds[]` of type `socks`": [
        ...server,
        "version",
        "username",
        "password",
        "network",
        "connect_timeout",
      ],
      "`outbounds[]` of type `http`": [...server, "username", "password", "tls", "connect_timeout"],
      "`outbounds[].tls`": ["enabled", "server_name", "insecure", "certificate_path"],
      "`outbounds[]` of type `block`": ["type", "tag"],
      "`route`": ["rules", "final"],
      "`route.rules[]`": [
        ...["inbound", "network", "auth_user", "domain", "domain_suffix", "domain_keyword"],
        ...["source_ip_cidr", "ip_cidr", "ip_is_private", "port", "port_range"],
        ...["invert", "action", "outbound"],
      ],
      "`experimental`": ["v2ray_api", "limits", "timeouts"],
      "`experimental.v2ray_api`": [
        "listen",
        "secret",
        "secrets",
        "tls",
        "insecure",
        "allow_from_proxy",
        "access_control_allow_origin",
        "stats",
        "metrics",
        "limits",
      ],
      "`experimental.v2ray_api.secrets[]`": ["name", "secret", "reset"],
      "`experimental.v2ray_api.tls`": [
        ...["enabled", "certificate_path", "certificate", "key_path", "key", "min_version"],
        ...["client_authentication", "client_certificate_path", "client_certificate"],
      ],
      "`experimental.v2ray_api.stats`": [
        "enabled",
        "inbounds",
        "outbounds",
        "users",
        "max_counters",
        "online_loopback",
      ],
      "`experimental.v2ray_api.metrics`": ["enabled", "prefix", "users"],
      "`experimental.v2ray_api.limits`": Object.keys(defaultLimits),
      "`experimental.limits`": ["connections", "connections_per_source"],
      "`experimental.timeouts`": ["handshake", "idle", "linger", "http_keep_alive"],
    });
  });

  it("says what rules on addresses do not do", () => {
    for (const key of ["ip_cidr", "ip_is_private"]) {
      const [row = ""] = new RegExp(`^\\| \`${key}\` .*$`, "m").exec(markdown) ?? [];
      assert.match(
        row,
        /Names are not looked up for this: it is no guard against names that lead to such addresses\./,
      );
    }
  });

  it("has each section once", () => {
    const titles = Array.from(markdown.matchAll(/^## .*$/gm), ([title]) => title);
    assert.deepEqual(titles, [...new Set(titles)]);
  });

  it("names the schema's file, which is there", () => {
    assert.match(markdown, /\(\.\.\/config\.schema\.json\)/);
    assert.doesNotThrow(() => readFileSync(join(rootPath, "config.schema.json")));
  });
});
