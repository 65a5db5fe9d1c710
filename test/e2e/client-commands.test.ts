import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { badServers } from "../helpers/bad-servers.js";
import { assertCounters, expectedCounters, queryCounters } from "../helpers/api-client.js";
import { askThrough, tunnelThrough } from "../helpers/cli-traffic.js";
import { Cli, runCli, startCli, testConfig } from "../helpers/cli.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { inParallel } from "../helpers/in-parallel.js";
import { modulesOfCommand, packageOf } from "../helpers/loaded-modules.js";
import { openOrigin } from "../helpers/open-origin.js";
import { needs } from "../helpers/outside-client.js";
import { closeAfter } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";
import { startV2Ray } from "../helpers/v2ray.js";

const io = { timeout: 60_000 };
/** What is printed while alice has one connection, from the machine itself. */
const onlineGoldens: readonly (readonly [args: readonly string[], stdout: RegExp])[] = [
  [["online"], /^ {4}Addresses {3}User\n1 {3}1 {11}alice\n$/],
  [
    ["online", "--json"],
    /^\{"users":\[\{"email":"alice","ips":\[\{"ip":"127\.0\.0\.1","lastSeen":"\d{10}"\}\]\}\]\}\n$/,
  ],
  [
    ["online", "alice"],
    /^ {4}Last seen {13}Address\n1 {3}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}127\.0\.0\.1\n$/,
  ],
  [
    ["api", "statsonline", "-email", "alice"],
    /^\{\n {4}"stat": \{\n {8}"name": "user>>>alice>>>online",\n {8}"value": 1\n {4}\}\n\}\n\n$/,
  ],
  [
    ["api", "statsonlineiplist", "-email", "alice"],
    /^\{\n {4}"ips": \{\n {8}"127\.0\.0\.1": \d{10}\n {4}\},\n {4}"name": "user>>>alice>>>online"\n\}\n\n$/,
  ],
  [["api", "statsgetallonlineusers"], /^\{\n {4}"users": \[\n {8}"user>>>alice>>>online"\n {4}\]\n\}\n\n$/],
];
const alice: User = { username: "alice", password: "alice" };

describe("the commands that read a server", () => {
  it(
    "show at V2Ray 4 the rows that they show here, for the same traffic",
    { ...io, ...needs("v2ray") },
    async (t) => {
      const origin = await openOrigin(t);
      const ours = await startCli(t, testConfig({ outbound: "out", users: [alice] }));
      const v2ray = await startV2Ray(t, alice);
      const ask = async (proxy: string): Promise<void> => {
        for (const length of [1, 70_000])
          await askThrough(t, proxy, "alice", `${origin.url}/bytes/${length}`);
      };
      const stats = async (api: string, ...args: readonly string[]) => runCli(["stats", "-s", api, ...args]);
      const rows = ["user>>>alice", "outbound>>>out"];

      await ask(ours.proxy);
      const up = BigInt(origin.moved.up);
      const down = BigInt(origin.moved.down);
      const counters = {
        "outbound>>>out>>>traffic>>>uplink": up,
        "outbound>>>out>>>traffic>>>downlink": down,
        "user>>>alice>>>traffic>>>uplink": up,
        "user>>>alice>>>traffic>>>downlink": down,
      };
      const patterns = { patterns: rows };
      while ((await queryCounters(ours.api, patterns))["user>>>alice>>>traffic>>>downlink"] !== down);
      await ask(`127.0.0.1:${v2ray.socksPort}`);
      while ((await v2ray.queryCounters())["user>>>alice>>>traffic>>>downlink"] !== down);

      const here = await stats(ours.api, ...rows);
      assert.deepEqual([here.code, here.stderr], [0, ""]);
      assert.equal(here.stdout.split("\n").length, 1 + Object.keys(counters).length + 3);
      assert.deepEqual(await queryCounters(ours.api, patterns), counters);
      assert.deepEqual(await stats(v2ray.api, ...rows), here);
      const json = await stats(ours.api, "--json", ...rows);
      assert.deepEqual(await stats(v2ray.api, "--json", ...rows), json);
      assert.deepEqual(await stats(v2ray.api, "--regexp", "^user.*alice", "^out.*out"), here);

      // It matches no expressions, and knows neither lists of patterns nor who is online.
      const refused = await stats(v2ray.api, "--regexp", "--reset", ".");
      assert.deepEqual([refused.code, refused.stdout], [1, ""]);
      assert.deepEqual(await stats(v2ray.api, "--reset", ...rows), here);
      assert.equal((await v2ray.queryCounters())["user>>>alice>>>traffic>>>downlink"], 0n);
      const online = await runCli(["online", "-s", v2ray.api]);
      assert.equal(online.stderr, `v2ray-api: ${v2ray.api}: it has no StatsService that knows this call\n`);
      const sys = await runCli(["sys", "-s", v2ray.api]);
      assert.match(sys.stdout, /^1 {3}Up time +\S*\ds +$/m);
    },
  );

  it("read the server that the same program runs", io, async (t) => {
    const cli = await startCli(t);
    const origin = await openOrigin(t);
    await askThrough(t, cli.proxy, "bob", `${origin.url}/bytes/5000`);
    await assertCounters(cli.api, () => expectedCounters("bob", origin.moved));
    const name = "user>>>bob>>>traffic>>>downlink";
    assert.deepEqual(await runCli(["get", "-s", cli.api, name, "--reset"]), {
      code: 0,
      stdout: `${origin.moved.down}\n`,
      stderr: "",
    });
    const xray = await runCli(["api", "stats", `--server=${cli.api}`, "-name", name]);
    assert.equal(xray.stdout, `{\n    "stat": {\n        "name": "${name}"\n    }\n}\n\n`);
    const { stdout } = await runCli(["sys", "-s", cli.api, "--json"]);
    assert.match(stdout, /^\{"NumGoroutine":\d+,.*"Sys":"\d+"/);
  });

  it("tell who is connected to the server that the same program runs", io, async (t) => {
    const cli = await startCli(t);
    const origin = await openOrigin(t);
    const ask = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCli([...args, "-s", cli.api, "-t", "30"]);
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
      return stdout;
    };
    const name = "user>>>alice>>>online";
    const unseen = await runCli(["api", "statsonline", "-email", "alice", "-s", cli.api]);
    assert.deepEqual(unseen, {
      code: 1,
      stdout: "",
      stderr: `v2ray-api: ${cli.api}: ${name} not found.\n`,
    });
    assert.equal(await ask("online"), "");

    const tunnel = await tunnelThrough(t, cli.proxy, "alice", origin.url);
    await Promise.all(
      onlineGoldens.map(async ([args, expected]) => {
        assert.match(await ask(...args), expected);
      }),
    );

    tunnel.destroy();
    while ((await ask("online")) !== "");
    assert.equal(
      await ask("api", "statsonline", "-email", "alice"),
      `{\n    "stat": {\n        "name": "${name}"\n    }\n}\n\n`,
    );
  });

  it("print what they have reset when a signal interrupts them", io, async (t) => {
    const family = await startFamilyServer(t, "V2Ray 5");
    family.counters.set("user>>>alice>>>traffic>>>uplink", 7n);
    family.hangFrom = 2;
    const args = ["stats", "-s", family.address, "-t", "9999", "--reset", "alice", "bob"];
    const cli = new Cli(args);
    closeAfter(t, cli);
    await until(() => family.calls.length === 2);
    cli.kill("SIGINT");
    assert.equal(await cli.exited(), 1);
    assert.match(cli.stdout.text, /^1 {3}7\.00B {7}user>>>alice>>>traffic>>>uplink$/m);
    assert.equal(cli.stderr.text, `v2ray-api: ${family.address}: interrupted before it answered\n`);
    assert.equal(family.counters.get("user>>>alice>>>traffic>>>uplink"), 0n);
  });

  it("take an answer of megabytes, and print all of it into a pipe", io, async (t) => {
    const family = await startFamilyServer(t, "V2Ray 5");
    const tail = "x".repeat(1_000);
    for (let index = 10_000; index < 15_000; index++) family.counters.set(`${index}${tail}`, 1n);
    const { code, stdout, stderr } = await runCli(["stats", "-s", family.address, "-t", "30"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.split("\n");
    assert.equal(lines.length, 1 + 5_000 + 3);
    assert.equal(lines[5_000], `50001.00B       14999${tail}`);
    assert.equal(lines.at(-2), "Total: 4.88KB");
  });

  // All of them are the matter of test/client; here it is the process that ends.
  const ofEachKind = badServers.filter(
    ({ code }, index) => badServers.findIndex((bad) => bad.code === code) === index,
  );
  for (const { title, timeoutMs, message, ...bad } of ofEachKind) {
    it(`say in one line what is wrong with ${title}`, io, async (t) => {
      const { host, port } = await bad.start(t);
      const address = `${host}:${port}`;
      const args = ["-s", address, "-t", `${timeoutMs / 1_000}`];
      const { code, stdout, stderr } = await runCli(["stats", ...args]);
      assert.deepEqual([code, stdout], [1, ""]);
      const [line = "", end, ...others] = stderr.split("\n");
      assert.deepEqual([end, others], ["", []]);
      assert.ok(line.startsWith(`v2ray-api: ${address}: `), line);
      assert.match(line.slice(`v2ray-api: ${address}: `.length), message);
    });
  }

  for (const { title, ...bad } of badServers.filter(({ code }) => code === "timeout")) {
    it(`end when their time is over at ${title}`, io, async (t) => {
      const { host, port } = await bad.start(t);
      const address = `${host}:${port}`;
      const commands = [
        ...[["stats"], ["get", "name"], ["sys"], ["online"], ["online", "alice"], ["top", "-n", "1"]],
        ...[
          ["api", "stats"],
          ["api", "statsquery"],
          ["api", "statsonline", "-email", "alice"],
        ],
      ];
      const run = async (command: readonly string[]): Promise<void> => {
        const startedAtMs = performance.now();
        const outcome = await runCli([...command, "-s", address, "-t", "1"]);
        const tookMs = performance.now() - startedAtMs;
        const stderr = `v2ray-api: ${address}: no answer within 1 s\n`;
        assert.deepEqual(outcome, { code: 1, stdout: "", stderr }, command.join(" "));
        // Nobody ends it but itself: the bound leaves time for a busy machine, and none for a call without an end.
        assert.ok(tookMs >= 1_000 && tookMs < 15_000, `${command.join(" ")} took ${tookMs} ms`);
      };
      await inParallel(commands.length, 5, async (index) => run(commands[index] ?? []));
    });
  }

  it("load no more than they need", io, async (t) => {
    const { address } = await startFamilyServer(t, "Xray");
    const packages = async (...args: readonly string[]) =>
      [...new Set((await modulesOfCommand(...args)).map(packageOf))]
        .filter((name) => name !== undefined)
        .sort();
    const connect = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"];
    assert.deepEqual(await packages("stats", "--help"), []);
    assert.deepEqual(await packages("completion", "bash"), []);
    assert.deepEqual(await packages("stats", "-s", address), connect);
    assert.deepEqual(await packages("stats", "-s", address, "--regexp", "x"), [...connect, "re2js"]);
  });
});
