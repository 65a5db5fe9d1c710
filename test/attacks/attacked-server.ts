import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { killAtExit } from "../helpers/program.js";
import { withTimeout } from "../helpers/timing.js";
import type { AttackReport, Started } from "./report.js";

const serverPath = fileURLToPath(new URL("./server.js", import.meta.url));
const answerTimeoutMs = 60_000;

/** A proxy and its API server in a process of their own, with two counters for each of so many users. */
export class AttackedServer {
  /** That of the API. */
  readonly port: number;
  /** That of the proxy. */
  readonly proxyPort: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, { port, proxyPort }: Started) {
    this.#child = child;
    this.port = port;
    this.proxyPort = proxyPort;
  }

  static async start(userCount: number): Promise<AttackedServer> {
    const child = fork(serverPath, [String(userCount)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    killAtExit(child);
    return new AttackedServer(child, (await messageOf(child)) as Started);
  }

  /** Begins to watch it. */
  async begin(): Promise<void> {
    await this.#ask("begin");
  }

  /** How it was since it is watched. */
  async report(): Promise<AttackReport> {
    return (await this.#ask("report")) as AttackReport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  async #ask(question: string): Promise<unknown> {
    const answer = messageOf(this.#child);
    this.#child.send(question);
    return answer;
  }
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    const answered = Promise.race([
      once(child, "message", { signal: over.signal }),
      once(child, "exit", { signal: over.signal }),
    ]);
    const [message] = (await withTimeout(answered, answerTimeoutMs, "the server's word")) as [unknown];
    assert.ok(typeof message === "object" && message !== null, `the server ended with ${String(message)}`);
    return message;
  } finally {
    over.abort();
  }
}
