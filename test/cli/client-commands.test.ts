import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { kinds, startFamilyServer, type FamilyKind, type FamilyServer } from "../helpers/family-server.js";
import { runCommand } from "../helpers/run-command.js";

const io = { timeout: 10_000 };

const uplink = "user>>>alice>>>traffic>>>uplink";

/** A server with the counters that the tables below show. */
async function start(t: TestContext, kind: FamilyKind = "Xray"): Promise<FamilyServer> {
  const family = await startFamilyServer(t, kind);
  family.counters
    .set("user>>>bob>>>traffic>>>uplink", 5_368_709_120n)
    .set(uplink, 1_023n)
    .set("inbound>>>tcp>>>traffic>>>uplink", 0n);
  family.online
    .set("user>>>bob>>>online", { "192.0.2.8": 1_800_000_000n })
    .set("user>>>alice>>>online", { "2001:db8::1": 1_800_000_001n, "192.0.2.7": 1_700_000_000n })
    .set("user>>>carol>>>online", {});
  return family;
}

const table = `    Value       Name
1   0           inbound>>>tcp>>>traffic>>>uplink
2   1023.00B    user>>>alice>>>traffic>>>uplink
3   5.00GB      user>>>bob>>>traffic>>>uplink

Total: 5.00GB
`;
const bob = `    Value       Name
1   5.00GB      user>>>bob>>>traffic>>>uplink

Total: 5.00GB
`;
const sysTable = `    Item                  Value     
1   Up time               1h2m5s    
2   Memory obtained       5.00GB    
3   Number of goroutines  7         
4   Heap allocated        0         
5   Live objects          0         
6   Heap allocated total  0         
7   Heap allocate count   0         
8   Heap free count       0         
9   Number of GC          0         
10  Time of GC pause      408.564µs 
`;
const onlineTable = `    Addresses   User
1   2           alice
2   1           bob
3   0           carol
`;
const addressTable = `    Last seen             Address
1   2023-11-14T22:13:20Z  192.0.2.7
2   2027-01-15T08:00:01Z  2001:db8::1
`;

/** What each command prints, to the letter. */
const goldens: readonly (readonly [args: readonly string[], stdout: string])[] = [
  [["stats"], table],
  [["stats", ""], table],
  [["stats", "bob"], bob],
  [["stats", "bob", "b>>>"], bob],
  [["stats", "nobody"], ""],
  [["stats", "--regexp", "^user>>>b"], bob],
  [["stats", "--", "--json"], ""],
  [["stats", "--json", "alice"], `{"stat":[{"name":"${uplink}","value":"1023"}]}\n`],
  [["stats", "--json", "tcp"], '{"stat":[{"name":"inbound>>>tcp>>>traffic>>>uplink"}]}\n'],
  [["stats", "--json", "nobody"], "{}\n"],
  [["get", uplink], "1023\n"],
  [["get", "--json", uplink], `{"stat":{"name":"${uplink}","value":"1023"}}\n`],
  [["sys"], sysTable],
  [["sys", "--json"], '{"NumGoroutine":7,"Sys":"5368709120","PauseTotalNs":"408564","Uptime":3725}\n'],
  [["online"], onlineTable],
  [
    ["online", "--json"],
    '{"users":[' +
      '{"email":"bob","ips":[{"ip":"192.0.2.8","lastSeen":"1800000000"}]},' +
      '{"email":"alice","ips":[{"ip":"192.0.2.7","lastSeen":"1700000000"},{"ip":"2001:db8::1","lastSeen":"1800000001"}]},' +
      '{"email":"carol"}]}\n',
  ],
  [["online", "alice"], addressTable],
  [["online", "carol"], ""],
  [["online", "bob", "--json"], '{"name":"user>>>bob>>>online","ips":{"192.0.2.8":"1800000000"}}\n'],
];

describe("the commands that read a server", () => {
  for (const [args, stdout] of goldens) {
    it(`print what they read after ${JSON.stringify(args)}`, io, async (t) => {
      const family = await start(t);
      const [name = "", ...rest] = args;
      const result = await runCommand(name, "--server", family.address, ...rest);
      assert.deepEqual(result, { code: 0, stdout, stderr: "" });
    });
  }

  for (const kind of kinds) {
    it(`read ${kind} alike`, io, async (t) => {
      const { address } = await start(t, kind);
      assert.deepEqual(await runCommand("stats", "-s", address, "-t", "9"), {
        code: 0,
        stdout: table,
        stderr: "",
      });
      assert.deepEqual(await runCommand("get", "-s", address, uplink), {
        code: 0,
        stdout: "1023\n",
        stderr: "",
      });
      assert.deepEqual(await runCommand("sys", "-s", address), { code: 0, stdout: sysTable, stderr: "" });
    });
  }

  it("reset what they are told to, and print it", io, async (t) => {
    const { address, counters } = await start(t);
    const { stdout } = await runCommand("stats", "-s", address, "--reset", "bob", "uplink");
    assert.equal(stdout, table);
    assert.deepEqual([...counters.values()], [0n, 0n, 0n]);
    counters.set(uplink, 7n);
    assert.equal((await runCommand("get", "-s", address, "--reset", uplink)).stdout, "7\n");
    assert.equal((await runCommand("get", "-s", address, uplink)).stdout, "0\n");
  });

  it("print what was reset although a later call failed, and say so", io, async (t) => {
    const family = await start(t);
    family.failFrom = 2;
    assert.deepEqual(await runCommand("stats", "-s", family.address, "--reset", "bob", "alice"), {
      code: 1,
      stdout: bob,
      stderr: `v2ray-api: ${family.address}: no more of this (ResourceExhausted)\n`,
    });
  });

  it("let no name that a server has do anything to a terminal", io, async (t) => {
    const { address, counters } = await start(t);
    counters.clear();
    counters.set("user>>>\u001b[2J\u009b>>>traffic>>>uplink", 1n);
    for (const option of ["--regexp", "--json"]) {
      const { stdout } = await runCommand("stats", "-s", address, option);
      assert.match(stdout, /\\u001b\[2J\\u009b/);
    }
  });

  const failures: readonly (readonly [args: readonly string[], kind: FamilyKind, message: string])[] = [
    [["get", "no\nname"], "sing-box", "no\\u000aname not found."],
    [["online", "eve"], "Xray", "user>>>eve>>>online not found."],
    [["online"], "V2Ray 5", "it has no StatsService that knows this call"],
    [
      ["stats", "--reset", "--regexp", "a"],
      "Xray",
      "it cannot match regular expressions, and nothing is reset without that",
    ],
  ];
  for (const [args, kind, message] of failures) {
    it(`say in one line why ${kind} has no answer to ${JSON.stringify(args)}`, io, async (t) => {
      const { address } = await start(t, kind);
      assert.deepEqual(await runCommand(...args, "-s", address), {
        code: 1,
        stdout: "",
        stderr: `v2ray-api: ${address}: ${message}\n`,
      });
    });
  }

  it("say what is wrong with an expression, and call nobody", io, async (t) => {
    const { address, calls } = await start(t);
    assert.deepEqual(await runCommand("stats", "-s", address, "--regexp", "a", "("), {
      code: 1,
      stdout: "",
      stderr: 'v2ray-api: bad regular expression "(": error parsing regexp: missing closing ): `(`\n',
    });
    assert.deepEqual(calls, []);
  });

  const misused: readonly (readonly [args: readonly string[], reason: string, usage: string])[] = [
    [["get"], "it takes the name of one counter", "get NAME"],
    [["get", "a", "b"], "it takes the name of one counter", "get NAME"],
    [["online", "a", "b"], "it takes the name of one user, or none", "online [USER]"],
    [
      ["stats", "-s", "x"],
      'server: expected HOST:PORT, [IPv6]:PORT or unix:PATH, got "x"',
      "stats [PATTERN]...",
    ],
    [["sys", "-t", "x"], 'timeout: expected seconds from 0.001 to 99999, got "x"', "sys"],
  ];
  for (const [args, reason, usage] of misused) {
    it(`refuse ${JSON.stringify(args)}`, async () => {
      assert.deepEqual(await runCommand(...args), {
        code: 2,
        stdout: "",
        stderr: `v2ray-api ${args[0] ?? ""}: ${reason}\nusage: v2ray-api ${usage}\n`,
      });
    });
  }

  it("refuse what is no option of theirs", async () => {
    for (const args of [
      ["sys", "extra"],
      ["stats", "--nope"],
      ["get", "a", "--regexp"],
      ["online", "--reset"],
    ]) {
      const { code, stdout, stderr } = await runCommand(...args);
      assert.deepEqual([code, stdout, stderr.split("\n").length], [2, "", 3], stderr);
    }
  });
});
