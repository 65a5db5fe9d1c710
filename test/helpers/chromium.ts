import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { killAtExit } from "./program.js";
import { createTempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";

const chromiumTimeoutMs = 60_000;

/** As quiet as it gets: no window, nothing fetched for itself, no QUIC, which would pass by a proxy. */
const options = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
  // Loopback is reached without a proxy otherwise.
  "--proxy-bypass-list=<-loopback>",
  "--ignore-certificate-errors",
  // The clock of the page stands while it loads, so that the DOM is printed when all its requests are answered.
  "--virtual-time-budget=10000",
];

/** Loads a page through a proxy, runs its scripts, and prints the DOM. Fails after 60 s. */
export async function dumpDom(t: TestContext, url: string, proxy: string): Promise<string> {
  const profile = createTempDir(t).path;
  const args = [...options, `--user-data-dir=${profile}`, `--proxy-server=${proxy}`, "--dump-dom", url];
  const child = spawn("chromium", args, { stdio: ["ignore", "pipe", "ignore"] });
  killAtExit(child);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    await withTimeout(once(child, "close"), chromiumTimeoutMs, "chromium");
  } finally {
    child.kill("SIGKILL");
  }
  return Buffer.concat(chunks).toString();
}
