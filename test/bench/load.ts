import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { killAtExit } from "../helpers/program.js";
import { withTimeout } from "../helpers/timing.js";
import type { Load, LoadAnswer, LoadQuestion, OriginAddresses, Target } from "./load-protocol.js";

/** Longer than the slowest peer takes for the largest load. */
const answerTimeoutMs = 300_000;

/** The processes that make the load, apart from that of the server which is measured: an origin and its clients. */
export class LoadGenerator {
  readonly addresses: OriginAddresses;
  readonly #children: readonly ChildProcess[];
  readonly #clients: ChildProcess;

  private constructor(originProcess: ChildProcess, addresses: OriginAddresses, clients: ChildProcess) {
    this.#children = [originProcess, clients];
    this.#clients = clients;
    this.addresses = addresses;
  }

  static async start(): Promise<LoadGenerator> {
    const [originProcess, clients] = [startChild("load-origin.js"), startChild("load-client.js")];
    const [addresses] = await Promise.all([answerOf<OriginAddresses>(originProcess), answerOf(clients)]);
    return new LoadGenerator(originProcess, addresses, clients);
  }

  /** Carries a load out. @param target - What it is put on. Default: the origin alone. */
  async carryOut(load: Load, { proxy, api }: Target = {}): Promise<LoadAnswer> {
    const { origin, responder } = this.addresses;
    return this.#ask({ ...load, way: { proxy, origin, api: api ?? responder } });
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
