import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { assertCounters, expectedCounters, queryCounters, type Counters } from "../helpers/api-client.js";
import { sha256 } from "../helpers/bytes.js";
import { testConfig, useCli, type Cli } from "../helpers/cli.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";

const megabyte = 1_048_576;

async function curl(args: readonly string[]): Promise<ProgramResult> {
  return runProgram("curl", ["-sS", "-k", ...args]);
}

/** A file to upload: curl takes no length from a stream. */
function writeBody(t: TestContext, body: Buffer): string {
  return createTempDir(t).write("body", body);
}

async function startOrigin(t: TestContext, scheme: "http" | "https"): Promise<Origin> {
  const origin = await new Origin(scheme).start();
  t.after(async () => origin[Symbol.asyncDispose]());
  return origin;
}

/** All counters, which are then at 0. */
async function reset(cli: Cli): Promise<Counters> {
  return queryCounters(cli.api, { reset: true });
}

const ways: readonly (readonly [name: string, proxy: string, args: readonly string[]])[] = [
  ["SOCKS5 with the name resolved by the proxy", "socks5h://alice:alice@", []],
  ["SOCKS5 with the name resolved by curl", "socks5://alice:alice@", []],
  ["HTTP CONNECT", "http://alice:alice@", ["-p"]],
];
const schemes = ["http", "https"] as const;

describe("curl through the proxy", needs("curl"), () => {
  const cli = useCli();

  for (const [way, proxy, args] of ways) {
    for (const scheme of schemes) {
      describe(`by ${way} to an ${scheme} origin`, () => {
        // HTTP/1.0 ends with the connection: no farewell of TLS crosses the end of the transfer.
        const options = (): readonly string[] => [...args, "-0", "--no-alpn", "-x", `${proxy}${cli().proxy}`];

        it("downloads megabytes, and each of them is counted", async (t) => {
          const origin = await startOrigin(t, scheme);
          await reset(cli());
          const length = 5 * megabyte + 321;
          const { code, stderr } = await curl([...options(), "-o", "-", `${origin.url}/bytes/${length}`]);
          assert.equal(code, 0, stderr);
          assert.ok(origin.downlinkBytes > length);
          await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
        });

        it("uploads megabytes, and each of them is counted", async (t) => {
          const origin = await startOrigin(t, scheme);
          await reset(cli());
          const body = Origin.body(4 * megabyte + 123);
          const { code, stdout, stderr } = await curl([...options(), "-T", writeBody(t, body), origin.url]);
          assert.equal(code, 0, stderr);
          assert.equal(stdout, sha256(body));
          assert.ok(origin.uplinkBytes > body.length);
          await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
        });
      });
    }
  }

  it("gets every byte of a download unchanged", async (t) => {
    const origin = await startOrigin(t, "http");
    const path = createTempDir(t).join("body");
    const proxy = `socks5h://alice:alice@${cli().proxy}`;
    const { code } = await curl(["-x", proxy, "-o", path, `${origin.url}/bytes/${megabyte}`]);
    assert.equal(code, 0);
    assert.equal(sha256(readFileSync(path)), sha256(Origin.body(megabyte)));
  });

  it("moves as much as curl says that it moved", async (t) => {
    const origin = await startOrigin(t, "http");
    await reset(cli());
    const figures = "%{size_request} %{size_upload} %{size_header} %{size_download}";
    const proxy = `socks5h://alice:alice@${cli().proxy}`;
    const body = Origin.body(2 * megabyte);
    const args = ["-x", proxy, "-T", writeBody(t, body), "-o", "/dev/null", "-w", figures];
    const { stdout } = await curl([...args, "-0", origin.url]);
    const [headBytes = 0, bodyBytes = 0, answerHeadBytes = 0, answerBytes = 0] = stdout
      .split(" ")
      .map(Number);
    assert.equal(bodyBytes, body.length);
    const moved = { up: headBytes + bodyBytes, down: answerHeadBytes + answerBytes };
    assert.deepEqual(moved, origin.moved);
    await assertCounters(cli().api, () => expectedCounters("alice", moved));
  });

  it("counts for each user apart, and for the inbound and the outbound together", async (t) => {
    const origins = { alice: await startOrigin(t, "http"), bob: await startOrigin(t, "http") };
    await reset(cli());
    const transfers = Object.entries(origins).map(async ([user, { url }], index) =>
      curl([
        ...["-x", `socks5h://${user}:${user}@${cli().proxy}`, "-o", "/dev/null"],
        `${url}/bytes/${(index + 1) * megabyte}`,
      ]),
    );
    assert.deepEqual(
      (await Promise.all(transfers)).map(({ code }) => code),
      [0, 0],
    );
    const { alice, bob } = origins;
    await assertCounters(cli().api, () => {
      const up = BigInt(alice.uplinkBytes + bob.uplinkBytes);
      const down = BigInt(alice.downlinkBytes + bob.downlinkBytes);
      return {
        "inbound>>>mixed-in>>>traffic>>>uplink": up,
        "inbound>>>mixed-in>>>traffic>>>downlink": down,
        "outbound>>>direct>>>traffic>>>uplink": up,
        "outbound>>>direct>>>traffic>>>downlink": down,
        "user>>>alice>>>traffic>>>uplink": BigInt(alice.uplinkBytes),
        "user>>>alice>>>traffic>>>downlink": BigInt(alice.downlinkBytes),
        "user>>>bob>>>traffic>>>uplink": BigInt(bob.uplinkBytes),
        "user>>>bob>>>traffic>>>downlink": BigInt(bob.downlinkBytes),
      };
    });
  });
});

describe("curl, refused by the proxy", needs("curl"), () => {
  const cli = useCli();
  const target = async (): Promise<string> => `http://127.0.0.1:${await closedPort()}/`;

  const logins: readonly (readonly [name: string, login: string])[] = [
    ["a wrong password", "alice:wrong@"],
    ["another user's password", "alice:bob@"],
    ["an unknown user", "mallory:alice@"],
    ["no login", ""],
  ];
  for (const [name, login] of logins) {
    it(`fails with ${name}, and creates no counter`, async () => {
      const socks = await curl(["-x", `socks5h://${login}${cli().proxy}`, await target()]);
      assert.equal(socks.code, 97, socks.stderr);
      const http = await curl([
        ...["-x", `http://${login}${cli().proxy}`, "-p", "-w", "%{http_connect}"],
        await target(),
      ]);
      assert.deepEqual([http.code, http.stdout], [56, "407"]);
      assert.deepEqual(await queryCounters(cli().api), {});
    });
  }

  it("is told that plain HTTP requests are not taken", async () => {
    const { code, stdout } = await curl([
      ...["-x", `http://alice:alice@${cli().proxy}`, "-w", "%{http_code}"],
      await target(),
    ]);
    assert.deepEqual([code, stdout], [0, "this proxy takes CONNECT requests only\n405"]);
    assert.deepEqual(await queryCounters(cli().api), {});
  });

  for (const scheme of ["socks4", "socks4a"]) {
    it(`is refused with ${scheme}, which carries no password`, async () => {
      const { code } = await curl(["-x", `${scheme}://alice@${cli().proxy}`, await target()]);
      assert.equal(code, 97);
      assert.deepEqual(await queryCounters(cli().api), {});
    });
  }

  it("is told that the destination refuses, which leaves counters at 0", async () => {
    const socks = await curl(["-x", `socks5h://alice:alice@${cli().proxy}`, await target()]);
    assert.equal(socks.code, 97);
    assert.match(socks.stderr, /\(5\)/);
    const http = await curl([
      ...["-x", `http://alice:alice@${cli().proxy}`, "-p", "-w", "%{http_connect}"],
      await target(),
    ]);
    assert.deepEqual([http.code, http.stdout], [56, "502"]);
    assert.deepEqual(await queryCounters(cli().api), expectedCounters("alice", { up: 0, down: 0 }));
  });
});

describe("curl through a proxy without users", needs("curl"), () => {
  const cli = useCli(testConfig({ users: [] }));

  for (const [name, proxy] of [
    ["without a login", "socks5h://"],
    ["with a login that nobody asked for", "socks5h://mallory:secret@"],
    ["through HTTP, with a login that nobody asked for", "http://mallory:secret@"],
  ] as const) {
    it(`is let in ${name}, and no user is counted`, async (t) => {
      const origin = await startOrigin(t, "http");
      const { code } = await curl(["-x", `${proxy}${cli().proxy}`, "-p", `${origin.url}/bytes/10`]);
      assert.equal(code, 0);
      const counted = Object.keys(await queryCounters(cli().api));
      assert.deepEqual(counted, [
        "inbound>>>mixed-in>>>traffic>>>uplink",
        "inbound>>>mixed-in>>>traffic>>>downlink",
        "outbound>>>direct>>>traffic>>>uplink",
        "outbound>>>direct>>>traffic>>>downlink",
      ]);
    });
  }
});
