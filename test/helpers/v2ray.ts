import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { killAtExit } from "./program.js";
import { closedPort } from "./sockets.js";
import { createTempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";

/** A V2Ray, where a user may leave by SOCKS5, UDP included, and by HTTP. */
export interface V2Ray {
  readonly socksPort: number;
  readonly httpPort: number;
}

const startTimeoutMs = 20_000;

/** Starts one on 127.0.0.1; it ends after the test. Ports that are free now, since it knows no port 0. */
export async function startV2Ray(t: TestContext, { username: user, password: pass }: User): Promise<V2Ray> {
  const [socksPort, httpPort] = [await closedPort(), await closedPort()];
  const accounts = [{ user, pass }];
  const listen = "127.0.0.1";
  const config = {
    log: { loglevel: "warning" },
    inbounds: [
      {
        ...{ listen, port: socksPort, protocol: "socks" },
        settings: { auth: "password", accounts, udp: true, ip: listen },
      },
      { listen, port: httpPort, protocol: "http", settings: { accounts } },
    ],
    outbounds: [{ protocol: "freedom" }],
  };
  const path = createTempDir(t).write("config.json", JSON.stringify(config));
  const child = spawn("v2ray", ["-config", path], { stdio: ["ignore", "pipe", "ignore"] });
  killAtExit(child);
  t.after(async () => {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });
  const started = new Promise<void>((resolve) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/V2Ray [\d.]+ started/.test(output)) resolve();
    });
  });
  await withTimeout(started, startTimeoutMs, "start of v2ray");
  return { socksPort, httpPort };
}
