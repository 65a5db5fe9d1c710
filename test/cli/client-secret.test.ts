import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.js";
import { connectUser, count, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 20_000 };
const alice = userUplink("alice");

async function start(t: TestContext): Promise<TestApi> {
  const api = await startApi(t, {
    secrets: [
      { name: "panel", secret: "panel-s3cret", reset: true },
      { name: "grafana", secret: "grafana-s3cret" },
    ],
  });
  count(api.store, alice, 5);
  const connection = connectUser(api, "alice", "192.0.2.1");
  t.after(() => {
    connection[Symbol.dispose]();
  });
  return api;
}

interface Call {
  readonly args: readonly string[];
  /** In V2RAY_API_SECRET. */
  readonly secret?: string;
}

async function run(api: TestApi, { args, secret }: Call) {
  const process = new FakeProcess();
  if (secret !== undefined) process.env["V2RAY_API_SECRET"] = secret;
  const server = args[0] === "api" ? `-server=127.0.0.1:${api.port}` : `--server=127.0.0.1:${api.port}`;
  const words = args[0] === "api" ? 2 : 1;
  const code = await runCommandLine([...args.slice(0, words), server, ...args.slice(words)], process);
  return { code, ...process.printed };
}

const commands: readonly (readonly string[])[] = [
  ["stats"],
  ["get", alice],
  ["sys"],
  ["online"],
  ["online", "alice"],
  ["top", "-n", "1", "-i", "0.001"],
  ["api", "stats"],
  ["api", "stats", "-name", alice],
  ["api", "stats", "-runtime"],
  ["api", "statsquery"],
  ["api", "statssys"],
  ["api", "statsonline", "-email", "alice"],
  ["api", "statsonlineiplist", "-email", "alice"],
  ["api", "statsgetallonlineusers"],
];

describe("the secret of the commands that read a server", io, () => {
  failOnUnhandled();

  for (const args of commands) {
    it(`is sent by ${args.join(" ")}, from the environment or an option`, async (t) => {
      const api = await start(t);
      const dash = args[0] === "api" ? "-" : "--";
      const words = args[0] === "api" ? 2 : 1;
      const option = [...args.slice(0, words), `${dash}secret=grafana-s3cret`, ...args.slice(words)];
      for (const call of [
        { args, secret: "grafana-s3cret" },
        { args: option },
        { args: option, secret: "what an option goes before" },
      ]) {
        const { code, stdout, stderr } = await run(api, call);
        assert.deepEqual([code, stderr], [0, ""]);
        assert.notEqual(stdout, "");
      }
      const refused = await run(api, { args });
      assert.deepEqual([refused.code, refused.stdout], [1, ""]);
      assert.match(
        refused.stderr,
        /^v2ray-api: 127\.0\.0\.1:\d+: a secret is needed: .* \(Unauthenticated\)\n$/,
      );
    });
  }

  it("says so where it is wrong, and where it may not reset", async (t) => {
    const api = await start(t);
    const wrong = await run(api, { args: ["stats"], secret: "guess" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /: this is not a secret of this server: .* \(Unauthenticated\)\n$/);
    assert.doesNotMatch(wrong.stderr, /guess/);
    const denied = await run(api, { args: ["stats", "--reset"], secret: "grafana-s3cret" });
    assert.equal(denied.code, 1);
    assert.match(denied.stderr, /: the secret "grafana" may read but not reset \(PermissionDenied\)\n$/);
    assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    assert.equal((await run(api, { args: ["stats", "--reset"], secret: "panel-s3cret" })).code, 0);
    assert.deepEqual(valuesOf(api.store), { [alice]: 0n });
  });

  it("is none where it is empty, and is shown by no message where it cannot be one", async (t) => {
    const api = await start(t);
    const empty = await run(api, { args: ["stats", "--secret="], secret: "" });
    assert.match(empty.stderr, /a secret is needed/);
    for (const secret of ["s3cret s3cret", "s3cret\n", "s3crét"]) {
      for (const call of [{ args: ["stats"], secret }, { args: ["stats", "--secret", secret] }]) {
        const { code, stderr } = await run(api, call);
        assert.equal(code, 2);
        assert.match(stderr, /secret: expected visible ASCII characters without a blank/);
        assert.doesNotMatch(stderr, /s3cr/);
      }
    }
  });
});
