import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertCounters, expectedCounters, queryCounters } from "../helpers/api-client.js";
import { testConfig, useCli } from "../helpers/cli.js";
import { useOrigin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";

async function v2ctl(api: string, method: string, message: string): Promise<ProgramResult> {
  return runProgram("v2ctl", ["api", `--server=${api}`, `StatsService.${method}`, message]);
}

/** How v2ctl prints a counter: in protobuf's text format, without a value of 0. */
function printedStat(name: string, value: bigint | number): string {
  const lines = [`  name: "${name}"`, ...(Number(value) === 0 ? [] : [`  value: ${value}`])];
  return `stat: <\n${lines.join("\n")}\n>\n`;
}

function printedStats(counters: Readonly<Record<string, bigint>>): string {
  const stats = Object.entries(counters).map(([name, value]) => printedStat(name, value));
  return `${stats.join("")}\n`;
}

describe("v2ctl 4", needs("v2ctl"), () => {
  const cli = useCli();
  const origin = useOrigin();

  it("prints nothing but an empty line before there is a counter", async () => {
    const { code, stdout } = await v2ctl(cli().api, "QueryStats", 'pattern: ""');
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "\n" });
  });

  it("prints what curl has moved, as the servers of the field have it printed", async () => {
    const { code, stdout } = await runProgram("curl", [
      ...["-s", "-x", `socks5h://alice:alice@${cli().proxy}`, "-o", "/dev/null"],
      ...["-w", "%{size_request} %{size_header} %{size_download}"],
      `${origin().url}/bytes/300000`,
    ]);
    assert.equal(code, 0);
    const [up = 0, headBytes = 0, bodyBytes = 0] = stdout.split(" ").map(Number);
    assert.equal(bodyBytes, 300_000);
    const expected = expectedCounters("alice", { up, down: headBytes + bodyBytes });
    await assertCounters(cli().api, () => expected);

    assert.deepEqual(await v2ctl(cli().api, "QueryStats", ""), {
      code: 0,
      stdout: printedStats(expected),
      stderr: "",
    });
  });

  it("reads one counter", async () => {
    const name = "user>>>alice>>>traffic>>>uplink";
    const { [name]: value = 0n } = await queryCounters(cli().api);
    assert.ok(value > 0n);
    const { code, stdout } = await v2ctl(cli().api, "GetStats", `name: "${name}"`);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: `${printedStat(name, value)}\n` });
  });

  it("fails with NotFound for an unknown counter, and creates none", async () => {
    const before = await queryCounters(cli().api);
    const { code, stderr } = await v2ctl(cli().api, "GetStats", 'name: "user>>>nobody>>>traffic>>>uplink"');
    assert.equal(code, 255);
    assert.match(
      stderr,
      /> rpc error: code = NotFound desc = user>>>nobody>>>traffic>>>uplink not found\.\n\n$/,
    );
    assert.deepEqual(await queryCounters(cli().api), before);
  });

  it("queries by pattern, and resets what matches and nothing else", async () => {
    const before = await queryCounters(cli().api);
    const users = Object.fromEntries(Object.entries(before).filter(([name]) => name.startsWith("user")));
    assert.equal(Object.keys(users).length, 2);
    const { code, stdout } = await v2ctl(cli().api, "QueryStats", 'pattern: "user>>>" reset: true');
    assert.deepEqual({ code, stdout }, { code: 0, stdout: printedStats(users) });

    const zeros = Object.fromEntries(Object.keys(users).map((name) => [name, 0n]));
    assert.deepEqual(await queryCounters(cli().api), { ...before, ...zeros });
    // `value:` is absent at 0.
    const { stdout: secondPrint } = await v2ctl(cli().api, "QueryStats", 'pattern: "user>>>"');
    assert.equal(secondPrint, printedStats(zeros));
    assert.doesNotMatch(secondPrint, /value/);
  });

  it("resets with GetStats, too", async () => {
    const name = "outbound>>>direct>>>traffic>>>downlink";
    const { [name]: value = 0n } = await queryCounters(cli().api);
    assert.ok(value > 300_000n);
    const { stdout } = await v2ctl(cli().api, "GetStats", `name: "${name}" reset: true`);
    assert.equal(stdout, `${printedStat(name, value)}\n`);
    assert.equal((await queryCounters(cli().api))[name], 0n);
  });

  it("reads the system's figures", async () => {
    const { code, stdout } = await v2ctl(cli().api, "GetSysStats", "");
    assert.equal(code, 0);
    for (const name of ["NumGoroutine", "Alloc", "TotalAlloc", "Sys"]) {
      assert.match(stdout, new RegExp(`^${name}: [1-9]\\d*$`, "m"));
    }
  });
});

describe("v2ctl 4, where statistics are disabled", needs("v2ctl"), () => {
  const cli = useCli(testConfig({ api: { stats: { enabled: false } } }));

  for (const [method, message] of [
    ["GetStats", 'name: "x"'],
    ["QueryStats", ""],
    ["GetSysStats", ""],
  ] as const) {
    it(`learns that ${method} is not implemented`, async () => {
      const { code, stderr } = await v2ctl(cli().api, method, message);
      assert.equal(code, 255);
      assert.match(stderr, /> rpc error: code = Unimplemented desc = /);
    });
  }
});
