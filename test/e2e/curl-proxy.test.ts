import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertCounters, expectedCounters, queryCounters, type Counters } from "../helpers/api-client.js";
import { sha256 } from "../helpers/bytes.js";
import { testConfig, useCli, type Cli } from "../helpers/cli.js";
import { curl, startOrigin, writeBody } from "../helpers/curl.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";

const megabyte = 1_048_576;

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

  for (const scheme of ["socks4", "socks4a"]) {
    it(`is refused with ${scheme}, which carries no password`, async () => {
      const { code, stderr } = await curl(["-x", `${scheme}://alice@${cli().proxy}`, await target()]);
      assert.equal(code, 97);
      assert.match(stderr, /\(91\), request rejected or failed/);
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
      const origin = await startOrigin(t);
      await reset(cli());
      const { code } = await curl(["-x", `${proxy}${cli().proxy}`, "-p", `${origin.url}/bytes/10`]);
      assert.equal(code, 0);
      await assertCounters(cli().api, () => withoutUser(origin));
    });
  }

  const options: readonly (readonly [title: string, option: readonly string[]])[] = [
    ["--socks4", ["--socks4"]],
    ["--socks4a", ["--socks4a"]],
    ["--socks5", ["--socks5"]],
    ["--socks5-hostname", ["--socks5-hostname"]],
    ["--proxy", ["--proxy"]],
    ["--proxytunnel --proxy", ["--proxytunnel", "--proxy"]],
  ];
  for (const [title, option] of options) {
    it(`moves megabytes both ways with ${title}, and each byte is counted`, async (t) => {
      const origin = await startOrigin(t);
      await reset(cli());
      const body = Origin.body(3 * megabyte + 5);
      const path = createTempDir(t).join("body");
      const download = ["-o", path, `http://localhost:${origin.port}/bytes/${body.length}`];
      const down = await curl([...option, cli().proxy, ...download]);
      assert.equal(down.code, 0, down.stderr);
      assert.equal(sha256(readFileSync(path)), sha256(body));
      const up = await curl([...option, cli().proxy, "-T", path, `http://127.0.0.1:${origin.port}/`]);
      assert.equal(up.code, 0, up.stderr);
      assert.equal(up.stdout, sha256(body));
      assert.ok(origin.uplinkBytes > body.length && origin.downlinkBytes > body.length);
      await assertCounters(cli().api, () => withoutUser(origin));
    });
  }
});

/** The counters of connections that were nobody's. */
function withoutUser({ moved }: Origin): Counters {
  const counters = Object.entries(expectedCounters("nobody", moved));
  return Object.fromEntries(counters.filter(([name]) => !name.startsWith("user>>>")));
}
