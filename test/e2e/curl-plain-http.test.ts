import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertCounters, expectedCounters, queryCounters } from "../helpers/api-client.js";
import { sha256 } from "../helpers/bytes.js";
import { useCli } from "../helpers/cli.js";
import { curl, startOrigin, writeBody } from "../helpers/curl.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";

const megabyte = 1_048_576;

describe("curl with plain HTTP through the proxy", needs("curl"), () => {
  const cli = useCli();
  const proxy = (user = "alice"): readonly string[] => ["-x", `http://${user}:${user}@${cli().proxy}`];
  const reset = async (): Promise<unknown> => queryCounters(cli().api, { reset: true });

  it("downloads megabytes, and each byte is counted", async (t) => {
    const origin = await startOrigin(t);
    await reset();
    const path = createTempDir(t).join("body");
    const length = 5 * megabyte + 321;
    const { code, stderr } = await curl([...proxy(), "-o", path, `${origin.url}/bytes/${length}`]);
    assert.equal(code, 0, stderr);
    assert.equal(sha256(readFileSync(path)), sha256(Origin.body(length)));
    assert.ok(origin.downlinkBytes > length);
    await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
  });

  it("is answered several times on one connection, and each byte is counted", async (t) => {
    const origin = await startOrigin(t);
    await reset();
    const lengths = [megabyte, 0, 10, 2 * megabyte];
    const urls = lengths.flatMap((length) => ["-o", "/dev/null", `${origin.url}/bytes/${length}`]);
    const figures = "%{http_code} %{num_connects} %{size_download}\n";
    const { code, stdout } = await curl([...proxy(), "-w", figures, ...urls]);
    assert.equal(code, 0);
    const expected = lengths.map((length, index) => `200 ${index === 0 ? 1 : 0} ${length}\n`);
    assert.equal(stdout, expected.join(""));
    assert.ok(origin.downlinkBytes > 3 * megabyte);
    await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
  });

  it("changes the origin on one connection, and each byte is counted", async (t) => {
    const [first, second] = [await startOrigin(t), await startOrigin(t)];
    await reset();
    const urls = [first, second, first].flatMap(({ url }) => ["-o", "/dev/null", `${url}/bytes/${megabyte}`]);
    const { code, stdout } = await curl([...proxy(), "-w", "%{http_code} %{num_connects}\n", ...urls]);
    assert.deepEqual([code, stdout], [0, "200 1\n200 0\n200 0\n"]);
    await assertCounters(cli().api, () =>
      expectedCounters("alice", {
        up: first.uplinkBytes + second.uplinkBytes,
        down: first.downlinkBytes + second.downlinkBytes,
      }),
    );
  });

  const uploads: readonly (readonly [title: string, args: readonly string[]])[] = [
    ["that expects 100-continue", ["-H", "Expect: 100-continue"]],
    ["that expects nothing", ["-H", "Expect:"]],
    ["by HTTP/1.0", ["-0"]],
  ];
  for (const [title, args] of uploads) {
    it(`makes an upload of megabytes ${title}, and each byte is counted`, async (t) => {
      const origin = await startOrigin(t);
      await reset();
      const body = Origin.body(4 * megabyte + 123);
      const upload = ["-T", writeBody(t, body), `${origin.url}/`];
      const { code, stdout, stderr } = await curl([...proxy(), ...args, ...upload]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, sha256(body));
      assert.ok(origin.uplinkBytes > body.length);
      await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
    });
  }

  it("makes an upload in chunks, from a pipe, and each byte is counted", async (t) => {
    const origin = await startOrigin(t);
    await reset();
    const input = Origin.body(2 * megabyte + 7);
    const { code, stdout, stderr } = await curl([...proxy(), "-T", "-", `${origin.url}/`], { input });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, sha256(input));
    assert.ok(origin.uplinkBytes > input.length);
    await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
  });

  it("gets the head alone where it asks for it", async (t) => {
    const origin = await startOrigin(t);
    await reset();
    const figures = "%{num_connects} %{size_download}\n";
    const urls = [1, 2].flatMap((count) => ["-o", "/dev/null", `${origin.url}/bytes/${count * megabyte}`]);
    const { code, stdout } = await curl([...proxy(), "-I", "-D", "-", "-w", figures, ...urls]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /content-length: 1048576\r\n[^]*\n1 0\n[^]*content-length: 2097152\r\n[^]*\n0 0\n$/i,
    );
    assert.ok(origin.downlinkBytes < 2000);
    await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
  });

  it("is counted for each user apart", async (t) => {
    const origins = { alice: await startOrigin(t), bob: await startOrigin(t) };
    await reset();
    for (const [user, { url }] of Object.entries(origins)) {
      const { code } = await curl([...proxy(user), "-o", "/dev/null", `${url}/bytes/${megabyte}`]);
      assert.equal(code, 0);
    }
    const { alice, bob } = origins;
    await assertCounters(cli().api, () => ({
      ...expectedCounters("alice", {
        up: alice.uplinkBytes + bob.uplinkBytes,
        down: alice.downlinkBytes + bob.downlinkBytes,
      }),
      "user>>>alice>>>traffic>>>uplink": BigInt(alice.uplinkBytes),
      "user>>>alice>>>traffic>>>downlink": BigInt(alice.downlinkBytes),
      "user>>>bob>>>traffic>>>uplink": BigInt(bob.uplinkBytes),
      "user>>>bob>>>traffic>>>downlink": BigInt(bob.downlinkBytes),
    }));
  });
});

describe("curl with plain HTTP, refused by the proxy", needs("curl"), () => {
  const cli = useCli();
  const ask = async (login: string): Promise<string> => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    const args = ["-x", `http://${login}${cli().proxy}`, "-o", "/dev/null", "-w", "%{http_code}"];
    const { code, stdout, stderr } = await curl([...args, url]);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  for (const login of ["", "alice:wrong@", "mallory:alice@"]) {
    it(`is answered 407 with ${login === "" ? "no login" : login}, and no counter is created`, async () => {
      assert.equal(await ask(login), "407");
      assert.deepEqual(await queryCounters(cli().api), {});
    });
  }

  it("is answered 502 where the origin refuses, which leaves counters at 0", async () => {
    assert.equal(await ask("alice:alice@"), "502");
    assert.deepEqual(await queryCounters(cli().api), expectedCounters("alice", { up: 0, down: 0 }));
  });
});
