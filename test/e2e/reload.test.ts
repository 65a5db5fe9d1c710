import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { queryCounters } from "../helpers/api-client.js";
import { readBytes } from "../helpers/bytes.js";
import { Cli, testConfig } from "../helpers/cli.js";
import { startDestination } from "../helpers/destination.js";
import { askProxy, openTunnel } from "../helpers/proxy.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { failed } from "../helpers/timing.js";

const io = { timeout: 30_000 };
const alice = { username: "alice", password: "alice" };
const bob = { username: "bob", password: "b0b-s3cret" };

/** The command, running from a config that can be written anew. */
async function startFrom(t: TestContext, config: object) {
  const folder = createTempDir(t);
  const write = (next: object): string => folder.write("config.json", JSON.stringify(next));
  const cli = new Cli(["run", "-c", write(config)]);
  t.after(async () => cli[Symbol.asyncDispose]());
  await cli.started();
  return {
    cli,
    /** Has it read that one, and waits for what it says about it. */
    reload: async (next: object, says: RegExp): Promise<void> => {
      write(next);
      cli.kill("SIGHUP");
      await cli.stderr.matching(says);
    },
  };
}

function endpointOf(address: string): Endpoint {
  const [host = "", port] = address.split(":");
  return { host, port: Number(port) };
}

describe("v2ray-api run, at SIGHUP", () => {
  it("takes its config over, cuts whom that ends, and keeps its counters", io, async (t) => {
    const destination = await startDestination(t);
    const stats = { enabled: true, users: "*" };
    const listen = `127.0.0.1:${await closedPort()}`;
    const config = (users: readonly (typeof alice)[]) =>
      testConfig({ log: {}, users: [alice, ...users], api: { listen, stats } });
    const { cli, reload } = await startFrom(t, config([bob]));
    const proxy = endpointOf(cli.proxy);
    const open = async (user: typeof alice) => {
      const options = { protocol: "socks5", proxy, destination: destination.endpoint, user } as const;
      const client = await openTunnel(t, options);
      return { client, remote: await destination.accept() };
    };
    const [kept, gone] = [await open(alice), await open(bob)];
    gone.client.write("four");
    await readBytes(gone.remote, 4);

    const cut = Promise.all([failed(gone.client), failed(gone.remote)]);
    gone.client.resume();
    gone.remote.resume();
    await reload(config([]), /INFO: configuration reloaded .*"removed":"inbound mixed-in: user bob"/);
    assert.deepEqual(
      (await cut).map(({ code }) => code),
      ["ECONNRESET", "ECONNRESET"],
    );
    kept.client.write("alive");
    assert.equal((await readBytes(kept.remote, 5)).toString(), "alive");
    const asked = { protocol: "http", proxy, destination: destination.endpoint } as const;
    assert.equal((await askProxy(t, { ...asked, user: bob })).answer, 407);
    const { "user>>>bob>>>traffic>>>uplink": uplink } = await queryCounters(listen);
    assert.equal(uplink, 4n);
    assert.doesNotMatch(cli.stderr.text, /b0b-s3cret/);

    await reload({ inbounds: "none" }, /ERROR: configuration not reloaded, .*: 1 error\n.*inbounds/);
    kept.client.write("still");
    assert.equal((await readBytes(kept.remote, 5)).toString(), "still");
    kept.client.end();
    kept.remote.end();
    cli.kill("SIGTERM");
    assert.equal(await cli.exited(), 0);
  });
});
