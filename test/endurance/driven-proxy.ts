import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/net/endpoint.js";
import { killAtExit } from "../helpers/program.js";
import { withTimeout } from "../helpers/timing.js";
import type { Answer, Question } from "./driver-messages.js";
import type { ProcessReport } from "./process-report.js";

const driverPath = fileURLToPath(new URL("./driver.js", import.meta.url));
/** Of what `collectAll()` uses. */
const execArgv = ["--disable-warning=ExperimentalWarning"];
/** Longer than a collection of garbage takes while the machine has other things to do. */
const answerTimeoutMs = 60_000;
const exitTimeoutMs = 10_000;
const betweenLooksMs = 20;

/** A proxy in a process of its own: one mixed inbound `in`, one direct outbound `out`, everything and everybody counted. */
export class DrivenProxy {
  readonly endpoint: Endpoint;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #lastAnswer: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, endpoint: Endpoint) {
    this.#child = child;
    this.#exited = once(child, "exit");
    this.endpoint = endpoint;
  }

  static async start(): Promise<DrivenProxy> {
    const child = fork(driverPath, { execArgv, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    killAtExit(child);
    const { endpoint } = await answerOf(child, "started");
    assert.ok(endpoint !== undefined);
    return new DrivenProxy(child, endpoint);
  }

  /** How the proxy is now, garbage and all. */
  async look(): Promise<ProcessReport> {
    return (await this.#ask({ kind: "report", afterCollection: false }, "report")).report;
  }

  /** How the proxy is when it has collected its garbage, which takes it a while. */
  async report(): Promise<ProcessReport> {
    return (await this.#ask({ kind: "report", afterCollection: true }, "report")).report;
  }

  /**
   * Looks again and again until there is to see what is waited for, and for so long at most.
   *
   * @returns what there was to see at last, whatever it is.
   */
  async lookWhen(holds: (report: ProcessReport) => boolean, timeoutMs: number): Promise<ProcessReport> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const report = await this.look();
      if (holds(report) || performance.now() > deadline) return report;
      await sleep(betweenLooksMs);
    }
  }

  /** Closes connections by their place in the table. @returns how many there were. */
  async closeFrom(sourcePorts: readonly number[]): Promise<number> {
    return (await this.#ask({ kind: "close", sourcePorts }, "closed")).count;
  }

  /** Stops the proxy. @returns the exit code of its process, which nothing may keep from ending within 10 s. */
  async stop(): Promise<number | undefined> {
    this.#child.send({ ask: { kind: "stop" } } satisfies Question);
    await withTimeout(this.#exited, exitTimeoutMs, "the end of the proxy's process");
    return this.#child.exitCode ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async #ask<K extends Answer["kind"]>(ask: Question["ask"], kind: K): Promise<AnswerOf<K>> {
    const asked = this.#lastAnswer.then(async () => {
      this.#child.send({ ask } satisfies Question);
      return answerOf(this.#child, kind);
    });
    this.#lastAnswer = asked.catch(() => undefined);
    return asked;
  }
}

type AnswerOf<K extends Answer["kind"]> = Extract<Answer, { readonly kind: K }>;

async function answerOf<K extends Answer["kind"]>(child: ChildProcess, kind: K): Promise<AnswerOf<K>> {
  const over = new AbortController();
  try {
    const answered = Promise.race([
      once(child, "message", { signal: over.signal }),
      once(child, "exit", { signal: over.signal }),
    ]);
    const [answer] = (await withTimeout(answered, answerTimeoutMs, `the proxy's "${kind}"`)) as [unknown];
    assert.ok(isAnswer(answer, kind), `the proxy's process says ${JSON.stringify(answer)}`);
    return answer;
  } finally {
    over.abort();
  }
}

function isAnswer<K extends Answer["kind"]>(answer: unknown, kind: K): answer is AnswerOf<K> {
  return typeof answer === "object" && answer !== null && "kind" in answer && answer.kind === kind;
}
