import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { withDescriptors } from "./few-descriptors.js";
import { killAtExit, runProgram, type ProgramResult } from "./program.js";
import { TempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";
import { WatchedText } from "./watched-text.js";

/** The built command line, as it is packed. */
export const cliPath = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
/** The folder of the package. */
export const rootPath = fileURLToPath(new URL("../../../", import.meta.url));

/** Longer than the grace time of a stop, which is 5 s. */
const exitTimeoutMs = 8_000;

export interface TestConfigOptions {
  /** The section `log`. Default: level `debug`, to stderr. */
  readonly log?: object;
  /** Default: alice and bob, each with the name as password. */
  readonly users?: readonly { readonly username: string; readonly password: string }[];
  readonly inbound?: string;
  readonly outbound?: string;
  /** Keys of the section `experimental.v2ray_api`, beside or instead of those that count everything. */
  readonly api?: object;
}

/** A config whose ports are all free ones, and that counts everything. */
export function testConfig({
  log = { level: "debug" },
  users = ["alice", "bob"].map((name) => ({ username: name, password: name })),
  inbound = "mixed-in",
  outbound = "direct",
  api = {},
}: TestConfigOptions = {}): object {
  const names = users.map(({ username }) => username);
  const stats = { enabled: true, inbounds: [inbound], outbounds: [outbound], users: names };
  return {
    log,
    inbounds: [{ type: "mixed", tag: inbound, listen: "127.0.0.1", listen_port: 0, users }],
    outbounds: [{ type: "direct", tag: outbound }],
    // The API is what tests have their traffic go to.
    experimental: { v2ray_api: { listen: "127.0.0.1:0", allow_from_proxy: true, stats, ...api } },
  };
}

/** A socket that connects to `127.0.0.1:PORT`, half-open capable; it is destroyed after the test. */
export function connectTo(t: { after: (fn: () => void) => void }, address: string): Socket {
  const socket = connect({ host: "127.0.0.1", port: portOf(address), allowHalfOpen: true });
  // Whoever cares for a failure listens for it.
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** The port of `127.0.0.1:PORT`. */
export function portOf(address: string): number {
  return Number(address.split(":")[1]);
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], cwd?: string): Promise<ProgramResult> {
  return runProgram(process.execPath, [cliPath, ...args], cwd === undefined ? {} : { cwd });
}

export interface CliOptions {
  /** Where it runs. Default: where the tests do. */
  readonly cwd?: string;
  /** How many file descriptors it may have. Default: as many as the tests. */
  readonly maxDescriptors?: number;
  /** Options of Node itself. Default: none. */
  readonly nodeArgs?: readonly string[];
}

/** The command line, running: `v2ray-api run`, seen from outside. */
export class Cli {
  readonly stdout: WatchedText;
  readonly stderr: WatchedText;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #proxy = "";
  #api = "";

  /** Starts it without waiting for anything. */
  constructor(args: readonly string[], { cwd, maxDescriptors, nodeArgs = [] }: CliOptions = {}) {
    const command = [process.execPath, ...nodeArgs, cliPath, ...args];
    const [file = "", ...rest] =
      maxDescriptors === undefined ? command : withDescriptors(maxDescriptors, command);
    const child = spawn(file, rest, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    killAtExit(child);
    this.#child = child;
    this.stdout = new WatchedText(child.stdout, "stdout");
    this.stderr = new WatchedText(child.stderr, "stderr");
    this.#exited = once(child, "close");
  }

  /** Where the first inbound listens: `127.0.0.1:PORT`. */
  get proxy(): string {
    return this.#proxy;
  }

  /** Where the API listens: `127.0.0.1:PORT`; empty where it is off. */
  get api(): string {
    return this.#api;
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for the banner and reads the ports from it. */
  async started(): Promise<this> {
    try {
      await this.stdout.matching(/^counting .*\n(try .*\n)?/m);
    } catch (cause) {
      throw new Error(`it did not start: ${this.stderr.text}`, { cause });
    }
    this.#proxy = /^inbound .* on (\S+)$/m.exec(this.stdout.text)?.[1] ?? "";
    this.#api = /^v2ray api +(127[^\s,]+)/m.exec(this.stdout.text)?.[1] ?? "";
    return this;
  }

  kill(signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void {
    this.#child.kill(signal);
  }

  /** Stops to read what it prints, as a pipe does whose reader has ended. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Resolves with the exit code, `undefined` if a signal ended it. Fails after `ms`, by default 8 s. */
  async exited(ms = exitTimeoutMs): Promise<number | undefined> {
    await withTimeout(this.#exited, ms, "the exit");
    return this.#child.exitCode ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** A command line that runs with that config, and is killed after the test. */
export async function startCli(
  t: { after: (fn: () => Promise<void>) => void },
  config: object = testConfig(),
  options: CliOptions = {},
): Promise<Cli> {
  const folder = new TempDir();
  const cli = new Cli(["run", "-c", folder.write("config.json", JSON.stringify(config))], options);
  t.after(async () => {
    await cli[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  return cli.started();
}

/** One command line for all tests of the suite whose body calls this; to be called from the tests only. */
export function useCli(config: object = testConfig()): () => Cli {
  let cli: Cli | undefined;
  const cleanups: (() => Promise<void>)[] = [];
  before(async () => {
    cli = await startCli({ after: (fn) => cleanups.push(fn) }, config);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => {
    assert.ok(cli !== undefined, "the suite has not begun");
    return cli;
  };
}
