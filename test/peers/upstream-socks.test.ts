import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { killAtExit } from "../helpers/program.js";
import { askProxy, openTunnel } from "../helpers/proxy.js";
import { closedPort } from "../helpers/sockets.js";
import { assertMoved, countersAfter, countersOf, startTestApp } from "../helpers/test-app.js";
import { closed, turns } from "../helpers/timing.js";

const io = { timeout: 60_000 };
const alice: User = { username: "alice", password: "wonderland" };
const relay: User = { username: "relay", password: "between-us" };
const length = 1_000_001;

/** Starts microsocks, which only relays TCP; it ends after the test. @returns its port. */
async function startMicrosocks(t: TestContext): Promise<number> {
  const port = await closedPort();
  const login = ["-u", relay.username, "-P", relay.password];
  const child = spawn("microsocks", ["-i", "127.0.0.1", "-p", `${port}`, ...login], { stdio: "ignore" });
  killAtExit(child);
  t.after(async () => {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });
  // It does not say when it listens. The test's own timeout bounds this.
  while (!(await isListening(port))) await turns(1);
  return port;
}

async function isListening(port: number): Promise<boolean> {
  const probe = connect(port, "127.0.0.1");
  try {
    await once(probe, "connect");
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
    await closed(probe);
  }
}

describe("a socks outbound through microsocks", needs("microsocks"), () => {
  it("carries downloads and uploads, every byte counted", io, async (t) => {
    const port = await startMicrosocks(t);
    const origin = await openOrigin(t);
    const outbound = { type: "socks", server: "127.0.0.1", server_port: port, ...relay };
    const app = await startTestApp(t, { users: [alice], outbound });
    const destination = { host: "localhost", port: origin.port };
    const tunnel = { protocol: "socks5", proxy: app.proxy, destination, user: alice } as const;
    const down = await askOver(await openTunnel(t, tunnel), `${origin.url}/bytes/${length}`);
    assert.equal(sha256(down.body), sha256(Origin.body(length)));
    const body = Origin.body(length);
    const up = await askOver(await openTunnel(t, tunnel), origin.url, { body });
    assert.equal(up.body.toString(), sha256(body));
    await assertMoved(app, alice, () => origin.moved);
    assert.ok(origin.moved.up > length && origin.moved.down > length);
  });

  for (const [title, change, port, answer] of [
    ["that its destination refuses is told so", {}, 1, 5],
    ["that may not log in is told of a failure", { password: "wrong" }, 80, 1],
  ] as const) {
    it(`${title}, and nothing is counted`, io, async (t) => {
      const upstreamPort = await startMicrosocks(t);
      const upstream = { server: "127.0.0.1", server_port: upstreamPort, ...relay, ...change };
      const app = await startTestApp(t, { users: [alice], outbound: { type: "socks", ...upstream } });
      const destination = { host: "127.0.0.1", port };
      const asked = await askProxy(t, { protocol: "socks5", proxy: app.proxy, destination, user: alice });
      assert.equal(asked.answer, answer);
      assert.deepEqual(countersOf(app), countersAfter(alice, { up: 0, down: 0 }));
    });
  }
});
