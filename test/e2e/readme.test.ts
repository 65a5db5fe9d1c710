import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { closedPort } from "../helpers/sockets.js";

describe("README", () => {
  it("names both commands to the letter", async () => {
    const readme = await readFile("README.md", "utf8");
    assert.deepEqual(
      codeBlocks(readme, "sh").filter((block) => block.startsWith("npm ci")),
      ["npm ci && npm start", "npm ci && npm test"],
    );
  });

  it("has a library snippet that counts and serves", { timeout: 20_000 }, async (t) => {
    const [snippet = ""] = codeBlocks(await readFile("README.md", "utf8"), "js");
    const echoPort = await closedPort();
    const apiPort = await closedPort();
    await runModule(t, snippet.replaceAll("7007", `${echoPort}`).replaceAll("10085", `${apiPort}`));

    const client = connect(echoPort, "127.0.0.1");
    client.end("hello");
    await once(client.resume(), "close");

    const answer = await fetch(
      `http://127.0.0.1:${apiPort}/v2ray.core.app.stats.command.StatsService/QueryStats`,
      { method: "POST", headers: { "content-type": "application/json" }, body: '{"patterns":["user>>>"]}' },
    );
    assert.deepEqual(await answer.json(), {
      stat: [
        { name: "user>>>alice>>>traffic>>>uplink", value: "5" },
        { name: "user>>>alice>>>traffic>>>downlink", value: "5" },
      ],
    });
  });
});

function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\w*)\n(.*?)\n```$/gms);
  return Array.from(blocks)
    .filter(([, name]) => name === language)
    .map(([, , code = ""]) => code);
}

/** Runs a module as a user's project would, and waits until its last line is through. */
async function runModule(t: TestContext, code: string): Promise<void> {
  // Inside the package, its own name leads to it.
  const folder = await mkdtemp(join("build", "readme-"));
  const file = join(folder, "snippet.mjs");
  await writeFile(file, `${code}\nconsole.log("through");\n`);
  const child: ChildProcess = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });
  assert.ok(child.stdout !== null);
  await once(child.stdout, "data");
}
