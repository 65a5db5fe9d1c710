import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { readBytes } from "../helpers/bytes.js";
import { portOf, startCli, testConfig, type Cli } from "../helpers/cli.js";
import { startDestination } from "../helpers/destination.js";
import { whereDescriptorsCanBeFew } from "../helpers/few-descriptors.js";
import { askSocks5 } from "../helpers/socks5-client.js";
import { closeAfter } from "../helpers/sockets.js";

const io = { ...whereDescriptorsCanBeFew, timeout: 30_000 };

/** A client that is taken, which the proxy shows by its answer, or how it was sent away. */
async function greet(t: TestContext, cli: Cli): Promise<Socket | "reset" | "end"> {
  const client = connect({ host: "127.0.0.1", port: portOf(cli.proxy), allowHalfOpen: true });
  closeAfter(t, client);
  client.write(Buffer.of(5, 1, 2));
  return new Promise((resolve) => {
    client.on("error", () => {
      resolve("reset");
    });
    client.on("end", () => {
      resolve("end");
    });
    client.once("readable", () => {
      if (client.read(2) !== null) resolve(client);
    });
  });
}

describe("v2ray-api run with few file descriptors", () => {
  it("refuses connections in time, serves those it has, and takes others when it can", io, async (t) => {
    const destination = await startDestination(t);
    const config = testConfig({ log: { level: "info" }, users: [{ username: "alice", password: "alice" }] });
    const cli = await startCli(t, config, { maxDescriptors: 400 });
    const tunnel = connect({ host: "127.0.0.1", port: portOf(cli.proxy) });
    closeAfter(t, tunnel);
    await once(tunnel, "connect");
    const { reply } = await askSocks5(tunnel, destination.endpoint, { username: "alice", password: "alice" });
    assert.equal(reply, 0);
    const remote = await destination.accept();

    const clients: Socket[] = [];
    let answer = await greet(t, cli);
    while (typeof answer !== "string") {
      clients.push(answer);
      assert.ok(clients.length < 400, "none is refused");
      answer = await greet(t, cli);
    }
    assert.ok(clients.length > 100, `no more than ${clients.length} are taken`);
    const answers = new Set([
      answer,
      ...(await Promise.all(Array.from({ length: 50 }, async () => greet(t, cli)))),
    ]);
    assert.deepEqual(answers, new Set(["reset"]));
    await cli.stderr.matching(/refusing connections: fewer than \d+ file descriptors are left/);
    assert.equal(cli.stderr.text.match(/refusing connections/g)?.length, 1);

    tunnel.write("question");
    assert.equal((await readBytes(remote, 8)).toString(), "question");
    remote.write("answer");
    assert.equal((await readBytes(tunnel, 6)).toString(), "answer");

    for (const client of clients) client.destroy();
    let again = await greet(t, cli);
    while (typeof again === "string") again = await greet(t, cli);
    await cli.stderr.matching(/accepting connections again/);
  });
});
