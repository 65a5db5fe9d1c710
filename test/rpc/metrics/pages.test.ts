import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionTable } from "../../../src/track/connection-table.js";
import { count, paths, startApi, userUplink } from "../../helpers/api-server.js";
import { exporterNames, getPage, manyUsers, pagePaths, scrape, seriesOf } from "../../helpers/metrics.js";
import { sendHttp1, versions } from "../../helpers/raw-http.js";
import { until } from "../../helpers/timing.js";

const json = { "content-type": "application/json" };
const alice = userUplink("alice");
const manyCount = 50_000;

for (const { version, send } of versions) {
  const hostHeader = version === "HTTP/2" ? ":authority" : "host";

  describe(`the pages over ${version}`, { timeout: 20_000 }, () => {
    it("are metrics in Prometheus' text format, under two names", async (t) => {
      const { port, store } = await startApi(t);
      count(store, alice, 5);
      for (const path of ["/metrics", "/scrape", "/metrics?name=x"]) {
        const { status, headers, body } = await send(port, { method: "GET", path });
        assert.equal(status, 200);
        assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert.equal(headers["cache-control"], "no-store");
        const series = seriesOf(body.toString());
        assert.equal(series['v2ray_traffic_uplink_bytes_total{dimension="user",target="alice"}'], "5");
        assert.equal(series["v2ray_up"], "1");
      }
    });

    it("are variables as Xray has them", async (t) => {
      const { port, store } = await startApi(t);
      count(store, alice, 5);
      const { status, headers, body } = await send(port, { method: "GET", path: "/debug/vars" });
      assert.equal(status, 200);
      assert.equal(headers["content-type"], "application/json; charset=utf-8");
      const { stats } = JSON.parse(body.toString()) as { stats: object };
      assert.deepEqual(stats, { inbound: {}, outbound: {}, user: { alice: { uplink: 5 } } });
    });

    for (const path of pagePaths) {
      it(`are guarded as calls are: ${path}`, async (t) => {
        const allowed = "https://panel.example";
        const { port } = await startApi(t, { allowedOrigins: [allowed] });
        for (const headers of [
          { [hostHeader]: "evil.example" },
          { origin: "https://evil.example" },
          { origin: "null" },
        ]) {
          const answer = await send(port, { method: "GET", path, headers });
          assert.equal(answer.status, 403);
          assert.match(answer.body.toString(), /^\{"code":"permission_denied"/);
        }
        const answer = await send(port, { method: "GET", path, headers: { origin: allowed } });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["access-control-allow-origin"], allowed);
        const series = await scrape(port);
        assert.equal(series['v2ray_api_refused_requests_total{reason="foreign_host"}'], "1");
        assert.equal(series['v2ray_api_refused_requests_total{reason="foreign_origin"}'], "2");
      });

      it(`answer HEAD without a body, and any other method with 405: ${path}`, async (t) => {
        const { port } = await startApi(t);
        const head = await send(port, { method: "HEAD", path });
        assert.equal(head.status, 200);
        assert.match(
          String(head.headers["content-type"]),
          /^(text\/plain; version=0\.0\.4|application\/json);/,
        );
        assert.equal(head.body.length, 0);
        for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
          const answer = await send(port, { method, path, headers: json, body: "{}" });
          assert.equal(answer.status, 405, method);
          assert.equal(answer.headers["allow"], "GET, HEAD");
        }
        const series = await scrape(port);
        assert.equal(series['v2ray_api_refused_requests_total{reason="wrong_http_method"}'], "4");
        assert.equal(series["v2ray_scrapes_total"], "1");
      });

      it(`are not there where metrics are off: ${path}`, async (t) => {
        const { port } = await startApi(t, { metrics: { enabled: false } });
        assert.equal((await send(port, { method: "GET", path })).status, 404);
      });
    }

    it("are whole with 100,000 counters, and others have their turns in between", async (t) => {
      const { port } = await startApi(t, { store: manyUsers(manyCount) });
      for (const path of pagePaths) {
        let turnCount = 0;
        let isAnswered = false;
        const turning = until(() => (turnCount++, isAnswered));
        const { body } = await send(port, { method: "GET", path });
        isAnswered = true;
        await turning;
        const text = body.toString();
        assert.equal(
          text.match(/[{"]user-\d+"/g)?.length,
          path === "/debug/vars" ? manyCount : 2 * manyCount,
        );
        assert.ok(text.endsWith(path === "/debug/vars" ? "}\n}\n" : "v2ray_up 1\n"));
        // At most 1,000 pieces are written in a turn.
        assert.ok(turnCount >= manyCount / 1_000, `${turnCount} turns`);
      }
    });
  });
}

describe("the metrics", { timeout: 20_000 }, () => {
  it("have the prefix that is asked for, but for what the exporter does not have", async (t) => {
    const { port } = await startApi(t, { metrics: { prefix: "xray" } });
    const { body } = await getPage(port, "/metrics");
    for (const name of exporterNames) assert.match(body.toString(), new RegExp(`^# TYPE xray_${name} `, "m"));
    assert.doesNotMatch(body.toString(), /\bv2ray_(?!api_)/);
  });

  it("say nothing of users where these are left out", async (t) => {
    const { port, store } = await startApi(t, { metrics: { users: false } });
    count(store, alice, 5);
    count(store, "inbound>>>in>>>traffic>>>uplink", 7);
    for (const path of pagePaths) {
      const { body } = await getPage(port, path);
      assert.doesNotMatch(body.toString(), /alice/);
      assert.match(body.toString(), /"in"/);
    }
  });

  it("count the scrapes, this one included, whatever they are called", async (t) => {
    const { port } = await startApi(t);
    for (const path of ["/scrape", "/metrics", "/scrape"]) await getPage(port, path);
    await getPage(port, "/debug/vars");
    const series = await scrape(port);
    assert.equal(series["v2ray_scrapes_total"], "4");
    assert.match(series["v2ray_scrape_duration_seconds"] ?? "", /^\d+(\.\d+)?(e-\d+)?$/);
  });

  it("count the calls by service, method and code", async (t) => {
    const { port } = await startApi(t);
    await sendHttp1(port, { path: paths.queryStats, headers: json, body: "{}" });
    await sendHttp1(port, { path: paths.getStats, headers: json, body: '{"name":"x"}' });
    const series = await scrape(port);
    const labels = (method: string, code: string) =>
      `v2ray_api_calls_total{service="v2ray.core.app.stats.command.StatsService",method="${method}",code="${code}"}`;
    assert.equal(series[labels("QueryStats", "ok")], "1");
    assert.equal(series[labels("GetStats", "ok")], "0");
    assert.equal(series[labels("GetStats", "not_found")], "1");
  });

  it("tell of the table of connections that the server is handed, and of what limits refused", async (t) => {
    const connections = new ConnectionTable();
    const refusedConnections = { connections: 4, connectionsPerSource: 5, descriptors: 6 };
    const { port } = await startApi(t, { connections, refusedConnections });
    const entry = connections.open(
      {
        ...{ inbound: "in", outbound: "out", network: "udp", rule: "final" },
        ...{ source: { host: "127.0.0.1", port: 1 }, destination: { host: "a.test", port: 2 } },
      },
      { moved: { uplinkBytes: 0, downlinkBytes: 0 }, close: () => undefined },
    );
    const open = 'v2ray_api_open_connections{network="udp"}';
    assert.equal((await scrape(port))[open], "1");
    entry[Symbol.dispose]();
    const series = await scrape(port);
    assert.equal(series[open], "0");
    assert.equal(series['v2ray_api_connections_total{network="udp"}'], "1");
    assert.equal(series['v2ray_api_refused_connections_total{reason="file_descriptors"}'], "6");
  });

  it("are there, without traffic, where nothing is counted", async (t) => {
    const { port } = await startApi(t, { store: undefined });
    const { body } = await getPage(port, "/metrics");
    for (const name of exporterNames)
      assert.match(body.toString(), new RegExp(`^# TYPE v2ray_${name} `, "m"));
  });
});
