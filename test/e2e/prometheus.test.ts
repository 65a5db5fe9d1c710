import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { count, paths, startApi, userUplink } from "../helpers/api-server.js";
import { exporterNames, getPage } from "../helpers/metrics.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { startPrometheus } from "../helpers/prometheus.js";
import { sendHttp1 } from "../helpers/raw-http.js";
import { snippetsWith } from "../helpers/readme.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { certificates, leafKey, testAuthority } from "../helpers/tls-authority.js";
import { startTlsFront } from "../helpers/tls-front.js";

const alice = userUplink("alice");
const traffic = 'v2ray_traffic_uplink_bytes_total{dimension="user",target="alice"}';

describe("Prometheus", { timeout: 60_000, ...needs("prometheus") }, () => {
  it("scrapes every series, and sees a reset neither as a fall nor as a restart", async (t) => {
    const { store, port } = await startApi(t);
    const awkward = 'b"o\\b';
    const counter = count(store, alice, 1_000_000);
    count(store, userUplink(awkward), 2n ** 40n + 1n);
    const prometheus = await startPrometheus(t, port);
    const bytes = async () => Number((await prometheus.query(traffic))[0]?.value ?? 0);
    const until = async (total: number): Promise<void> => {
      let seen;
      do seen = await bytes();
      while (seen !== total);
    };
    await until(1_000_000);

    counter.add(500_000);
    await until(1_500_000);
    const body = JSON.stringify({ name: alice, reset: true });
    const headers = { "content-type": "application/json" };
    const reset = await sendHttp1(port, { path: paths.getStats, headers, body });
    assert.match(reset.body.toString(), /"value":"1500000"/);
    counter.add(7);
    await until(1_500_007);

    // Prometheus takes a fall for a restart: irate() would be too high then, and never below zero. So it is the samples that tell.
    const seen = await prometheus.samples(`${traffic}[5m]`);
    const steps = seen.filter((value, index) => value !== seen[index - 1]);
    assert.deepEqual(steps, ["1000000", "1500000", "1500007"]);
    const resets = await prometheus.query(`resets(${traffic}[5m])`);
    assert.equal(resets[0]?.value, "0");

    const users = await prometheus.query('v2ray_traffic_uplink_bytes_total{dimension="user"}');
    assert.deepEqual(
      new Map(users.map(({ labels, value }) => [labels["target"], value])),
      new Map([
        ["alice", "1500007"],
        [awkward, "1099511627777"],
      ]),
    );
    for (const name of exporterNames.filter((one) => one !== "traffic_downlink_bytes_total")) {
      assert.ok((await prometheus.query(`v2ray_${name}`)).length > 0, name);
    }
    assert.equal((await prometheus.query("up"))[0]?.value, "1");
  });
});

describe("README's job for Prometheus", { timeout: 60_000, ...needs("prometheus") }, () => {
  /** Puts what a test has into the place of what README calls by name. */
  async function jobOf(t: TestContext, { secret, port }: { secret: string; port: number }): Promise<string> {
    const folder = createTempDir(t);
    return (await snippetsWith("yaml", "credentials_file"))
      .replace("/etc/prometheus/v2ray-api.secret", folder.write("secret", secret))
      .replace("/etc/prometheus/v2ray-api-ca.pem", folder.write("ca.pem", testAuthority))
      .replace("api.example:10085", `127.0.0.1:${port}`);
  }

  it("scrapes over TLS with a secret from a file, and nothing with a wrong one", async (t) => {
    const secrets = [{ name: "grafana", secret: "s3cret-of-grafana" }];
    const { store, port } = await startApi(t, { secrets });
    count(store, alice, 5);
    const { endpoint } = await startTlsFront(
      t,
      { host: "127.0.0.1", port },
      { cert: certificates.server, key: leafKey },
    );
    const right = await startPrometheus(
      t,
      await jobOf(t, { secret: "s3cret-of-grafana", port: endpoint.port }),
    );
    let seen;
    do seen = (await right.query(traffic))[0];
    while (seen === undefined);
    assert.equal(seen.value, "5");
    const wrong = await startPrometheus(t, await jobOf(t, { secret: "guess", port: endpoint.port }));
    do seen = (await wrong.query("up"))[0];
    while (seen === undefined);
    assert.equal(seen.value, "0");
    assert.deepEqual(await wrong.query(traffic), []);
  });
});

describe("promtool", { timeout: 30_000, ...needs("promtool") }, () => {
  for (const prefix of ["v2ray", "xray"] as const) {
    it(`complains of nothing but a unit in one of the exporter's names, with the prefix ${prefix}`, async (t) => {
      const { store, port } = await startApi(t, { metrics: { prefix } });
      for (const scope of ["inbound", "outbound", "user"] as const) store.pair(scope, 'a "\\\n');
      const { body: input } = await getPage(port, "/metrics");
      const { stdout, stderr } = await runProgram("promtool", ["check", "metrics"], { input });
      assert.equal(stdout, "");
      assert.equal(
        stderr,
        `${prefix}_memstats_pause_total_ns metric names should not contain abbreviated units\n`,
      );
    });
  }
});
