import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { runCommand } from "../helpers/run-command.js";
import { usage } from "../helpers/usage.js";

describe("runCommandLine", () => {
  const helped: readonly (readonly [args: readonly string[], code: number])[] = [
    [[], 2],
    [["--help"], 0],
    [["-h"], 0],
    [["help"], 0],
    [["help", "serve"], 0],
  ];
  for (const [args, code] of helped) {
    it(`prints the usage and exits with ${code} after ${JSON.stringify(args)}`, async () => {
      const process = new FakeProcess();
      assert.equal(await runCommandLine(args, process), code);
      assert.deepEqual(process.printed, { stdout: usage, stderr: "" });
    });
  }

  for (const name of ["serve", "RUN", "", "-c", "constructor", 'a"\n']) {
    it(`names the unknown command ${JSON.stringify(name)}`, async () => {
      const process = new FakeProcess();
      assert.equal(await runCommandLine([name], process), 2);
      const stderr = `v2ray-api: unknown command ${JSON.stringify(name)}\n\n${usage}`;
      assert.deepEqual(process.printed, { stdout: "", stderr });
    });
  }

  const exitCodes = "Exit codes: 0 all went well, 1 it did not, 2 the command line is wrong.\n";
  const helps: readonly (readonly [command: readonly string[], help: string])[] = [
    [
      ["check"],
      `usage: v2ray-api check [-c FILE]

Check a config: prints ok, or everything that is wrong with it.

options:
  -c, --config FILE       the config (default config.json)

${exitCodes}`,
    ],
    [
      ["stats"],
      `usage: v2ray-api stats [PATTERN]...

Print the counters whose names contain a pattern, or all.

options:
      --regexp            take the patterns for regular expressions (RE2)
      --reset             set what is read to zero
      --json              print JSON, as protobuf writes it
  -s, --server ADDR       where the API listens, HOST:PORT or unix:PATH (default 127.0.0.1:8080)
  -t, --timeout S         how many seconds the server may take (default 3)
      --secret SECRET     what the server asks for; better in V2RAY_API_SECRET or a file
      --secret-file FILE  a file with the secret
      --tls               speak TLS, and trust the usual authorities
      --ca FILE           speak TLS, and trust these certificates instead
      --cert FILE         our own certificate, for a server that wants one
      --key FILE          the key of that certificate
      --server-name NAME  whom the server's certificate has to be for, if not HOST

A counter's name is inbound>>>TAG>>>traffic>>>uplink, and so on for outbound and user, and downlink.
Xray and V2Ray 4 match no regular expressions: there it is done here, and --reset is refused.
What is reset is gone from the server: whoever else reads the counters sees only what comes afterwards.

${exitCodes}`,
    ],
    [
      ["sys"],
      `usage: v2ray-api sys

Print figures of the serving process.

options:
      --json              print JSON, as protobuf writes it
  -s, --server ADDR       where the API listens, HOST:PORT or unix:PATH (default 127.0.0.1:8080)
  -t, --timeout S         how many seconds the server may take (default 3)
      --secret SECRET     what the server asks for; better in V2RAY_API_SECRET or a file
      --secret-file FILE  a file with the secret
      --tls               speak TLS, and trust the usual authorities
      --ca FILE           speak TLS, and trust these certificates instead
      --cert FILE         our own certificate, for a server that wants one
      --key FILE          the key of that certificate
      --server-name NAME  whom the server's certificate has to be for, if not HOST

${exitCodes}`,
    ],
  ];
  for (const [command, help] of helps) {
    for (const args of [
      ...["--help", "-h", "-help"].flatMap((option) => [
        [...command, option],
        [...command, "--reset", "a", option, "whatever"],
      ]),
      ["help", ...command],
    ]) {
      it(`explains ${command.join(" ")} after ${JSON.stringify(args)}`, async () => {
        assert.deepEqual(await runCommand(...args), { code: 0, stdout: help, stderr: "" });
      });
    }
  }

  it("takes a value for a value, whatever it looks like", async (t) => {
    const { address, counters } = await startFamilyServer(t, "Xray");
    for (const name of ["-h", "--help", "-help"]) {
      counters.clear();
      counters.set(name, 7n);
      assert.deepEqual(await runCommand("get", "-s", address, "--", name), {
        code: 0,
        stdout: "7\n",
        stderr: "",
      });
      const xray = await runCommand("api", "stats", "-s", address, "-name", name);
      assert.equal(
        xray.stdout,
        `{\n    "stat": {\n        "name": "${name}",\n        "value": 7\n    }\n}\n\n`,
      );
      const table = await runCommand("api", "stats", "-s", address, "--", name);
      assert.match(table.stdout, new RegExp(`^1 {3}7\\.00B +${name}$`, "m"));
      // In Go's spelling, a pattern ends the options.
      assert.deepEqual(await runCommand("api", "stats", "-s", address, "no", name), table);
      const unclear = await runCommand("stats", "--server", name);
      assert.deepEqual([unclear.code, unclear.stdout], [2, ""]);
      assert.match(unclear.stderr, /argument is ambiguous/);
      const wrong = await runCommand("stats", `--server=${name}`);
      assert.match(wrong.stderr, /expected HOST:PORT/);
    }
  });

  it("takes what stands behind -- for what it is", async () => {
    const { code, stderr } = await runCommand("check", "--", "--help");
    assert.equal(code, 2);
    assert.match(stderr, /'--help'/);
  });

  const misused: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
    [["--nope"], /'--nope'/],
    [["extra"], /'extra'/],
    [["-c"], /-c/],
  ];
  for (const command of ["run", "check"]) {
    for (const [args, reason] of misused) {
      it(`says how to use ${command} after ${JSON.stringify(args)}`, async () => {
        const process = new FakeProcess();
        assert.equal(await runCommandLine([command, ...args], process), 2);
        const [first = "", ...others] = process.printed.stderr.split("\n");
        assert.ok(first.startsWith(`v2ray-api ${command}: `), first);
        assert.match(first, reason);
        assert.deepEqual(others.slice(-2), [`usage: v2ray-api ${command} [-c FILE]`, ""]);
        assert.equal(process.printed.stdout, "");
      });
    }
  }
});
