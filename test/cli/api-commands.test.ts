import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { kinds, startFamilyServer, type FamilyKind, type FamilyServer } from "../helpers/family-server.js";
import { runCommand } from "../helpers/run-command.js";

const io = { timeout: 10_000 };

const uplink = "user>>>alice>>>traffic>>>uplink";
const zero = "user>>>alice>>>traffic>>>downlink";

async function start(t: TestContext, kind: FamilyKind = "Xray"): Promise<FamilyServer> {
  const family = await startFamilyServer(t, kind);
  family.counters
    .set(uplink, 2n ** 53n + 1n)
    .set(zero, 0n)
    .set("inbound>>>in>>>traffic>>>uplink", 5n);
  family.online
    .set("user>>>alice>>>online", { "2001:db8::1": 1_800_000_001n, "192.0.2.7": 0n })
    .set("user>>>bob>>>online", {});
  return family;
}

const table = `    Value       Name
1   5.00B       inbound>>>in>>>traffic>>>uplink
2   0           user>>>alice>>>traffic>>>downlink
3   8.00PB      user>>>alice>>>traffic>>>uplink

Total: 8.00PB
`;
const aliceTable = `    Value       Name
1   0           user>>>alice>>>traffic>>>downlink
2   8.00PB      user>>>alice>>>traffic>>>uplink

Total: 8.00PB
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
const aliceQuery = `{
    "stat": [
        {
            "name": "${uplink}",
            "value": 9007199254740993
        },
        {
            "name": "${zero}"
        }
    ]
}

`;

function xrayStat(name: string, value?: string): string {
  const second = value === undefined ? "" : `,\n        "value": ${value}`;
  return `{\n    "stat": {\n        "name": "${name}"${second}\n    }\n}\n\n`;
}

/** What V2Ray 5.16 and Xray 26.3 print of the same answers, to the letter; but for V2Ray's JSON, which has random spaces. */
const goldens: readonly (readonly [args: readonly string[], stdout: string])[] = [
  [["stats"], table],
  [["stats", "alice"], aliceTable],
  [["stats", "alice", "-reset"], aliceTable],
  [["stats", "-regexp", "al.ce"], aliceTable],
  [["stats", "nobody"], ""],
  [["stats", "-json", "inbound"], '{"stat":[{"name":"inbound>>>in>>>traffic>>>uplink","value":"5"}]}\n'],
  [["stats", "-runtime"], sysTable],
  [
    ["stats", "-runtime", "-json"],
    '{"NumGoroutine":7,"Sys":"5368709120","PauseTotalNs":"408564","Uptime":3725}\n',
  ],
  [["stats", "-name", uplink], xrayStat(uplink, "9007199254740993")],
  [["stats", `--name=${zero}`], xrayStat(zero)],
  [["statsquery", "-pattern", "alice"], aliceQuery],
  [["statsquery", "-pattern=alice", "ignored"], aliceQuery],
  [["statsquery", "-pattern", "nobody"], "{}\n\n"],
  [
    ["statssys"],
    '{\n    "NumGoroutine": 7,\n    "PauseTotalNs": 408564,\n    "Sys": 5368709120,\n    "Uptime": 3725\n}\n\n',
  ],
  [["statsonline", "-email", "alice"], xrayStat("user>>>alice>>>online", "2")],
  [["statsonline", "-email", "bob"], xrayStat("user>>>bob>>>online")],
  [
    ["statsonlineiplist", "-email=alice"],
    '{\n    "ips": {\n        "192.0.2.7": 0,\n        "2001:db8::1": 1800000001\n    },\n    "name": "user>>>alice>>>online"\n}\n\n',
  ],
  [["statsonlineiplist", "-email", "bob"], '{\n    "name": "user>>>bob>>>online"\n}\n\n'],
  [
    ["statsgetallonlineusers", "-json"],
    '{\n    "users": [\n        "user>>>alice>>>online",\n        "user>>>bob>>>online"\n    ]\n}\n\n',
  ],
];

describe("v2ray-api api", () => {
  for (const [args, stdout] of goldens) {
    for (const flags of [["-s"], ["--server"], ["-t=9", "-server"]]) {
      it(`prints what it always was after ${JSON.stringify([...flags, ...args])}`, io, async (t) => {
        const { address, counters } = await start(t);
        const [name = "", ...rest] = args;
        assert.deepEqual(await runCommand("api", name, ...flags, address, ...rest), {
          code: 0,
          stdout,
          stderr: "",
        });
        assert.equal(counters.get(uplink), 2n ** 53n + 1n);
      });
    }
  }

  for (const kind of kinds) {
    it(`reads ${kind} alike, and resets what it is told to`, io, async (t) => {
      const { address, counters } = await start(t, kind);
      const result = await runCommand("api", "stats", "-s", address, "-reset", "alice", "uplink");
      assert.deepEqual(result, { code: 0, stdout: table, stderr: "" });
      assert.deepEqual([...counters.values()], [0n, 0n, 0n]);
      counters.set(uplink, 2n ** 53n + 1n);
      const query = await runCommand("api", "statsquery", "-s", address, "-pattern", "alice", "-reset");
      assert.equal(query.stdout, aliceQuery);
      counters.set(uplink, 3n);
      const one = await runCommand("api", "stats", "-s", address, "-name", uplink, "-reset=true");
      assert.equal(one.stdout, xrayStat(uplink, "3"));
      assert.deepEqual([...counters.values()], [0n, 0n, 0n]);
    });
  }

  it("prints Xray's JSON to the letter for a script, and lets a terminal obey no name", io, async (t) => {
    const family = await start(t);
    const name = "user>>>\u009b31m\u007f>>>traffic>>>uplink";
    family.counters.clear();
    family.counters.set(name, 1n);
    family.online.clear();
    family.online.set("user>>>\u009b31m\u007f>>>online", { "192.0.2.7\u009b": 1n });
    for (const args of [
      ["stats", "-name", name],
      ["statsquery"],
      ["statsonline", "-email", "\u009b31m\u007f"],
      ["statsonlineiplist", "-email", "\u009b31m\u007f"],
      ["statsgetallonlineusers"],
    ]) {
      const [command = "", ...rest] = args;
      const printed = [false, true].map(async (isTTY) => {
        const process = new FakeProcess();
        process.stdout.isTTY = isTTY;
        assert.equal(await runCommandLine(["api", command, "-s", family.address, ...rest], process), 0);
        return process.printed.stdout;
      });
      const [inPipe = "", onTerminal = ""] = await Promise.all(printed);
      assert.ok(inPipe.includes("\u009b31m\u007f"));
      assert.ok(onTerminal.includes("\\u009b31m\\u007f"));
      assert.doesNotMatch(onTerminal, /[\u007f-\u009f]/);
      assert.deepEqual(JSON.parse(onTerminal), JSON.parse(inPipe));
    }
  });

  it("prints what was reset although a later call failed, and says so", io, async (t) => {
    const family = await start(t);
    family.failFrom = 2;
    const { code, stdout, stderr } = await runCommand(
      ...["api", "stats", "-s", family.address, "-reset", "alice", "inbound"],
    );
    assert.deepEqual([code, stdout], [1, aliceTable]);
    assert.equal(stderr, `v2ray-api: ${family.address}: no more of this (ResourceExhausted)\n`);
  });

  const failures: readonly (readonly [args: readonly string[], message: string])[] = [
    [["stats", "-name", "nothing"], "nothing not found."],
    [["stats", "-name="], " not found."],
    [["statsonline"], "user>>>>>>online not found."],
    [["statsonlineiplist", "-email", "eve"], "user>>>eve>>>online not found."],
  ];
  for (const [args, message] of failures) {
    it(`exits with 1 and says why after ${JSON.stringify(args)}`, io, async (t) => {
      const { address } = await start(t);
      const [name = "", ...rest] = args;
      assert.deepEqual(await runCommand("api", name, "-s", address, ...rest), {
        code: 1,
        stdout: "",
        stderr: `v2ray-api: ${address}: ${message}\n`,
      });
    });
  }

  it("exits with 2 and Go's words for what is no option", async () => {
    const { code, stderr } = await runCommand("api", "statsquery", "-nope");
    assert.equal(code, 2);
    assert.equal(
      stderr,
      "v2ray-api api statsquery: flag provided but not defined: -nope\nusage: v2ray-api api statsquery\n",
    );
  });

  const groupHelp = `usage: v2ray-api api COMMAND

The commands of \`v2ray api\` and \`xray api\`, to the letter.
Options, defaults and what is printed are those of V2Ray and Xray, so that scripts go on with another program's name.

  v2ray-api api stats [PATTERN]...            print counters as V2Ray does, or with -name one as Xray does
  v2ray-api api statsquery                    print counters as Xray does
  v2ray-api api statssys                      print figures of the serving process
  v2ray-api api statsonline                   print from how many addresses a user is connected
  v2ray-api api statsonlineiplist             print from which addresses a user is connected
  v2ray-api api statsgetallonlineusers        print who is connected

Exit codes: 0 all went well, 1 it did not, 2 the command line is wrong.
`;
  const helped: readonly (readonly [
    args: readonly string[],
    code: number,
    stdout: string,
    stderr: string,
  ])[] = [
    [[], 2, groupHelp, ""],
    [["--help"], 0, groupHelp, ""],
    [["help"], 0, groupHelp, ""],
    [["adi"], 2, "", `v2ray-api: unknown command "api adi"\n\n${groupHelp}`],
  ];
  for (const [args, code, stdout, stderr] of helped) {
    it(`explains itself after ${JSON.stringify(args)}`, async () => {
      assert.deepEqual(await runCommand("api", ...args), { code, stdout, stderr });
    });
  }

  it("explains a command, in its own spelling", async () => {
    const stdout = `usage: v2ray-api api statsonline

Print from how many addresses a user is connected.

options:
  -s, -server ADDR        where the API listens, HOST:PORT or unix:PATH (default 127.0.0.1:8080)
  -t, -timeout S          how many seconds the server may take (default 3)
      -secret SECRET      what the server asks for; better in V2RAY_API_SECRET or a file
      -secret-file FILE   a file with the secret
      -tls                speak TLS, and trust the usual authorities
      -ca FILE            speak TLS, and trust these certificates instead
      -cert FILE          our own certificate, for a server that wants one
      -key FILE           the key of that certificate
      -server-name NAME   whom the server's certificate has to be for, if not HOST
      -json               print JSON (what is Xray's always does)
      -email USER         whose connections are meant

Exit codes: 0 all went well, 1 it did not, 2 the command line is wrong.
`;
    for (const option of ["-h", "-help", "--help"]) {
      assert.deepEqual(await runCommand("api", "statsonline", option), { code: 0, stdout, stderr: "" });
    }
  });
});
