import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { isIn, modulesOf, packageOf } from "../helpers/loaded-modules.js";

/** What the V2Ray API needs and the proxy does not. */
const parts: readonly (readonly [what: string, isOfIt: (url: string) => boolean])[] = [
  ["@connectrpc", (url) => packageOf(url)?.startsWith("@connectrpc/") === true],
  ["@bufbuild", (url) => packageOf(url)?.startsWith("@bufbuild/") === true],
  ["dist/rpc", isIn("dist/rpc")],
  ["gen", isIn("gen")],
];

describe("the package's entry points", () => {
  let full: readonly string[] = [];
  let proxy: readonly string[] = [];
  let stats: readonly string[] = [];
  before(async () => {
    full = await modulesOf("v2ray-api", "createApp");
    proxy = await modulesOf("v2ray-api/proxy", "createApp");
    stats = await modulesOf("v2ray-api/stats", "StatsTracker");
  });

  for (const [what, isOfIt] of parts) {
    it(`v2ray-api loads ${what}, v2ray-api/proxy does not`, () => {
      assert.notDeepEqual(full.filter(isOfIt), []);
      assert.deepEqual(proxy.filter(isOfIt), []);
    });
  }

  it("v2ray-api does not load what compiles expressions, which waits for the first query that has one", () => {
    assert.deepEqual(
      [...full, ...proxy].filter((url) => packageOf(url) === "re2js"),
      [],
    );
  });

  it("v2ray-api/proxy loads the proxy, and no other package than proxy and config need", () => {
    for (const file of ["proxy-entry", "app", "proxy/router", "config/parse-config", "track/stats-tracker"]) {
      assert.ok(
        proxy.some((url) => url.endsWith(`/dist/${file}.js`)),
        file,
      );
    }
    const packages = new Set(proxy.map(packageOf).filter((name) => name !== undefined));
    assert.deepEqual([...packages].sort(), ["ipaddr.js", "jsonc-parser", "zod"]);
  });

  it("v2ray-api/stats loads what counts, no package, and of Node only its streams", () => {
    assert.deepEqual(stats.map((url) => /\/dist\/(.*)$/.exec(url)?.[1] ?? url).sort(), [
      "log/logger.js",
      "net/byte-sink.js",
      "net/counted-writes.js",
      "net/counting-connection.js",
      "net/counting-packet-connection.js",
      "net/forward-members.js",
      "net/reset.js",
      "net/system-error.js",
      "node:stream",
      "stats-entry.js",
      "stats/copy-of.js",
      "stats/counter-slab.js",
      "stats/counter-store.js",
      "stats/counter.js",
      "stats/stat-name.js",
      "track/connection-table.js",
      "track/connection-tracker.js",
      "track/online-users.js",
      "track/stats-tracker.js",
    ]);
  });
});
