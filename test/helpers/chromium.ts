import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { killAtExit } from "./program.js";
import { createTempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";

const chromiumTimeoutMs = 60_000;

/** As quiet as it gets: no window, nothing fetched for itself, no QUIC, which would pass by a proxy. */
const quietOptions = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
];

/** An attacker's names may lead anywhere. */
const exampleNames = "--host-resolver-rules=MAP *.example 127.0.0.1";

/** Loads a page through a proxy, runs its scripts, and prints the DOM. Fails after 60 s. */
export async function dumpDom(t: TestContext, url: string, proxy: string): Promise<string> {
  const child = startChromium(t, [
    `--proxy-server=${proxy}`,
    // Loopback is reached without a proxy otherwise.
    "--proxy-bypass-list=<-loopback>",
    "--ignore-certificate-errors",
    // The clock of the page stands while it loads, so that the DOM is printed when all its requests are answered.
    "--virtual-time-budget=10000",
    "--dump-dom",
    url,
  ]);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    await withTimeout(once(child, "close"), chromiumTimeoutMs, "chromium");
  } finally {
    child.kill("SIGKILL");
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Opens a page, without any proxy and with every name below `example` leading to this machine, and keeps it open until what it
 * was opened for has come. Fails after 60 s, or when the browser ends before.
 */
export async function keepOpen<T>(t: TestContext, url: string, awaited: Promise<T>): Promise<T> {
  const child = startChromium(t, ["--no-proxy-server", exampleNames, url]);
  child.stdout.resume();
  const closed = once(child, "close");
  const early = closed.then(() => assert.fail("chromium ended before its page was through"));
  try {
    return await withTimeout(Promise.race([awaited, early]), chromiumTimeoutMs, "chromium's page");
  } finally {
    // Asked to end, it takes its other processes along, which write to its folder as well.
    child.kill("SIGTERM");
    await withTimeout(closed, chromiumTimeoutMs, "chromium's end");
  }
}

/** With a folder of its own for all that it writes, which is removed after the test. */
function startChromium(t: TestContext, args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const { path } = createTempDir(t);
  const child = spawn("chromium", [...quietOptions, `--user-data-dir=${path}`, ...args], {
    env: { ...process.env, TMPDIR: path },
    stdio: ["ignore", "pipe", "ignore"],
  });
  killAtExit(child);
  return child;
}
