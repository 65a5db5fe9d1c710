import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createConnectRouter } from "@connectrpc/connect";
import { registerStatsService } from "../../src/rpc/routes.js";
import { createStatsService } from "../../src/rpc/stats-service.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { methodsOf, serviceNames } from "../helpers/api-client.js";

const sysStats = {
  read: () => {
    throw new Error("not asked for");
  },
};

describe("registerStatsService()", () => {
  it("registers the calls of each of the three names, and nothing else", () => {
    const router = createConnectRouter();
    registerStatsService(router, createStatsService({ store: new CounterStore(), sysStats }));
    const paths = serviceNames.flatMap((name) => methodsOf(name).map((method) => `/${name}/${method}`));
    assert.deepEqual(
      router.handlers.map(({ requestPath }) => requestPath),
      paths,
    );
  });

  it("lets only GetSysStats be asked with GET", () => {
    const router = createConnectRouter();
    registerStatsService(router, createStatsService({ store: new CounterStore(), sysStats }));
    const withGet = router.handlers.filter(({ allowedMethods }) => allowedMethods.includes("GET"));
    assert.deepEqual(
      withGet.map(({ requestPath }) => requestPath),
      serviceNames.map((name) => `/${name}/GetSysStats`),
    );
  });
});
