import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertCounters, expectedCounters, serviceNames } from "../helpers/api-client.js";
import { rootPath, startCli, useCli } from "../helpers/cli.js";
import { useOrigin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { killAtExit, runProgram, type ProgramResult } from "../helpers/program.js";
import { WatchedText } from "../helpers/watched-text.js";

const protocols = ["grpc", "grpcweb", "connect"] as const;
const http2 = { transport: "HTTP/2 with prior knowledge", args: ["--http2-prior-knowledge"] } as const;
const http1 = { transport: "HTTP/1.1", args: [] } as const;
/** Every name over HTTP/2; over HTTP/1.1, where the names make no difference, one. */
const targets = [
  ...serviceNames.map((service) => ({ service, ...http2 })),
  { service: serviceNames[0], ...http1 },
];

async function bufCurl(args: readonly string[], url: string, message: object): Promise<ProgramResult> {
  return runBufCurl(["--schema", "proto", ...args, url, "-d", JSON.stringify(message)]);
}

async function runBufCurl(args: readonly string[]): Promise<ProgramResult> {
  const buf = join(rootPath, "node_modules", ".bin", "buf");
  return runProgram(buf, ["curl", ...args], { cwd: rootPath });
}

describe("buf curl", needs("curl"), () => {
  const cli = useCli();
  const origin = useOrigin();

  it("has some traffic to read about", async () => {
    const proxy = `socks5h://alice:alice@${cli().proxy}`;
    const { code } = await runProgram("curl", ["-s", "-x", proxy, "-T", "package.json", origin().url], {
      cwd: rootPath,
    });
    assert.equal(code, 0);
    assert.ok(origin().uplinkBytes > 1_000);
    await assertCounters(cli().api, () => expectedCounters("alice", origin().moved));
  });

  describe("calling the StatsService", { concurrency: 4 }, () => {
    for (const { service, transport, args } of targets) {
      for (const protocol of protocols) {
        it(`queries ${service} through ${protocol} over ${transport}`, async () => {
          const url = `http://${cli().api}/${service}/QueryStats`;
          const { code, stdout, stderr } = await bufCurl(["--protocol", protocol, ...args], url, {});
          assert.equal(code, 0, stderr);
          const expected = Object.entries(expectedCounters("alice", origin().moved)).map(
            ([counter, value]) => ({ name: counter, value: String(value) }),
          );
          assert.deepEqual(JSON.parse(stdout), { stat: expected });
        });
      }
    }

    for (const protocol of protocols) {
      it(`is told through ${protocol} that there is no such counter`, async () => {
        const url = `http://${cli().api}/${serviceNames[0]}/GetStats`;
        const args = ["--protocol", protocol, "--http2-prior-knowledge"];
        const { code, stderr } = await bufCurl(args, url, { name: "nope" });
        // buf shifts gRPC's code to the left: NOT_FOUND is 5.
        assert.equal(code, 5 << 3);
        assert.deepEqual(JSON.parse(stderr), { code: "not_found", message: "nope not found." });
      });

      it(`is told through ${protocol} what is wrong with a regular expression`, async () => {
        const url = `http://${cli().api}/${serviceNames[0]}/QueryStats`;
        const args = ["--protocol", protocol];
        const { code, stderr } = await bufCurl(args, url, { patterns: ["ok", "a(b"], regexp: true });
        assert.equal(code, 3 << 3);
        assert.match(stderr, /"invalid_argument"/);
        assert.match(stderr, /a\(b/);
      });
    }
  });
});

describe("buf curl without a schema", { concurrency: 4, timeout: 60_000 }, () => {
  const cli = useCli();
  const grpcServices = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ];

  for (const reflection of ["grpc-v1", "grpc-v1alpha"]) {
    const args = ["--http2-prior-knowledge", "--reflect-protocol", reflection];

    it(`finds out what there is by ${reflection}`, async () => {
      const { code, stdout, stderr } = await runBufCurl([...args, "--list-services", `http://${cli().api}`]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.trim().split("\n"), [...serviceNames, ...grpcServices].sort());
    });

    for (const protocol of protocols) {
      it(`calls ${protocol} as it learns by ${reflection}`, async () => {
        for (const [path, answer] of [
          [`${serviceNames[0]}/QueryStats`, {}],
          [`${serviceNames[0]}/GetAllOnlineUsers`, {}],
          [`${serviceNames[1]}/GetUsersStats`, {}],
          [`${serviceNames[2]}/QueryStats`, {}],
          ["grpc.health.v1.Health/Check", { status: "SERVING" }],
        ] as const) {
          const url = `http://${cli().api}/${path}`;
          const { code, stdout, stderr } = await runBufCurl([
            ...args,
            "--protocol",
            protocol,
            url,
            "-d",
            "{}",
          ]);
          assert.equal(code, 0, stderr);
          assert.deepEqual(JSON.parse(stdout), answer, path);
        }
      });
    }
  }

  it("is told of the health of a service, and that there is no such service", async () => {
    const check = async (service: string): Promise<ProgramResult> =>
      runBufCurl([
        ...[
          "--http2-prior-knowledge",
          "--protocol",
          "grpc",
          `http://${cli().api}/grpc.health.v1.Health/Check`,
        ],
        ...["-d", JSON.stringify({ service })],
      ]);
    for (const service of serviceNames) {
      assert.deepEqual(JSON.parse((await check(service)).stdout), { status: "SERVING" });
    }
    const { code, stderr } = await check("nope");
    assert.equal(code, 5 << 3);
    assert.deepEqual(JSON.parse(stderr), { code: "not_found", message: 'unknown service "nope"' });
  });

  it("watches until the server stops", async (t) => {
    const watched = await startCli(t);
    const url = `http://${watched.api}/grpc.health.v1.Health/Watch`;
    const buf = join(rootPath, "node_modules", ".bin", "buf");
    const child = spawn(buf, ["curl", "--http2-prior-knowledge", "--protocol", "grpc", url, "-d", "{}"]);
    killAtExit(child);
    const stdout = new WatchedText(child.stdout, "stdout");
    await stdout.matching(/"SERVING"/);
    watched.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0);
    assert.match(stdout.text, /"NOT_SERVING"/);
    assert.equal(await watched.exited(), 0);
  });
});
