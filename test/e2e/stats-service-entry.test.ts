import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { StatsService } from "v2ray-api/stats-service";
import { StatsService as OwnStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { isIn, modulesOf, packageOf } from "../helpers/loaded-modules.js";

describe("v2ray-api/stats-service", () => {
  let modules: readonly string[] = [];
  before(async () => {
    modules = await modulesOf("v2ray-api/stats-service", "StatsService");
  });

  it("is the very service that the server implements", () => {
    assert.equal(StatsService, OwnStatsService);
    assert.equal(StatsService.method.queryStats.methodKind, "unary");
  });

  it("loads one module of ours, and of others what a generated file needs", () => {
    const own = modules.filter((url) => packageOf(url) === undefined);
    assert.deepEqual(own, [import.meta.resolve("v2ray-api/stats-service")]);
    assert.ok(own.every(isIn("gen")));
    const others = modules.filter((url) => !own.includes(url));
    assert.ok(others.some((url) => url.endsWith("/@bufbuild/protobuf/dist/esm/codegenv2/index.js")));
    // Nothing that is Node's own either, whose URLs begin with `node:`: a browser can load it all.
    assert.deepEqual([...new Set(others.map(packageOf))], ["@bufbuild/protobuf"]);
  });
});
