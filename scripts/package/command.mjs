import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "./run.mjs";

const config = {
  inbounds: { type: "mixed", tag: "in", listen_port: 0 },
  experimental: { v2ray_api: { listen: "127.0.0.1:0", stats: { enabled: true, inbounds: "in" } } },
};

/** Checks the command of the package that is installed in a folder. */
export async function checkCommand(folder) {
  const command = async (...args) => run("npx", ["--no-install", "v2ray-api", ...args], { cwd: folder });
  assert.match(await command("help"), /^usage:\n {2}v2ray-api run /);
  for (const example of ["config.json", "rules.json"]) {
    assert.equal(await command("check", "-c", `node_modules/v2ray-api/examples/${example}`), "ok\n");
  }
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  await checkRun(folder);
}

/** Runs it until the banner says where it listens, calls it once, and stops it. */
async function checkRun(folder) {
  // Not through npx, which passes no signal on.
  const child = spawn(join(folder, "node_modules", ".bin", "v2ray-api"), ["run"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 30_000,
  });
  const exited = once(child, "exit");
  let api;
  for await (const line of createInterface({ input: child.stdout })) {
    api ??= /^v2ray api +(\S+)$/.exec(line)?.[1];
    if (!line.startsWith("try ")) continue;
    const url = `http://${api}/v2ray.core.app.stats.command.StatsService/QueryStats`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: "{}" });
    assert.deepEqual([answer.status, await answer.json()], [200, {}]);
    child.kill("SIGTERM");
  }
  assert.deepEqual(await exited, [0, null], "exit code and signal");
}
