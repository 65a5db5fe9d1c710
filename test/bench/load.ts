import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/net/endpoint.js";
import { killAtExit } from "../helpers/program.js";
import { withTimeout } from "../helpers/timing.js";
import type { Load, LoadAnswer, LoadQuestion } from "./load-protocol.js";

/** Longer than the slowest peer takes for the largest load. */
const answerTimeoutMs = 300_000;

/** The processes that make the load, apart from that of the server which is measured: an origin and its clients. */
export class LoadGenerator {
  readonly origin: Endpoint;
  readonly #children: readonly ChildProcess[];
  readonly #clients: ChildProcess;

  private constructor(originProcess: ChildProcess, origin: Endpoint, clients: ChildProcess) {
    this.#children = [originProcess, clients];
    this.#clients = clients;
    this.origin = origin;
  }

  static async start(): Promise<LoadGenerator> {
    const [originProcess, clients] = [startChild("load-origin.js"), startChild("load-client.js")];
    const [origin] = await Promise.all([answerOf<Endpoint>(originProcess), answerOf(clients)]);
    return new LoadGenerator(originProcess, origin, clients);
  }

  /** Carries a load out through a proxy, or without one. */
  async carryOut(load: Load, proxy: Endpoint | undefined): Promise<LoadAnswer> {
    return this.#ask({ ...load, way: { proxy, origin: this.origin } });
  }

  /** Ends the connections that idle. */
  async release(): Promise<void> {
    await this.#ask({ kind: "release" });
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  async #ask(question: LoadQuestion): Promise<LoadAnswer> {
    const answer = answerOf<LoadAnswer>(this.#clients);
    this.#clients.send(question);
    return withTimeout(answer, answerTimeoutMs, question.kind);
  }
}

function startChild(file: string): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)));
  killAtExit(child);
  return child;
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const over = new AbortController();
  try {
    const [answer] = (await Promise.race([
      once(child, "message", { signal: over.signal }),
      once(child, "exit", { signal: over.signal }).then(([code]) => {
        throw new Error(`the load's process ended with ${String(code)}`);
      }),
    ])) as [T];
    return answer;
  } finally {
    over.abort();
  }
}
