import type { Readable } from "node:stream";
import { withTimeout } from "./timing.js";

const matchTimeoutMs = 20_000;

/** The text that a stream has brought so far, and a way to wait for what it will. */
export class WatchedText {
  readonly #name: string;
  readonly #watchers = new Set<() => void>();
  #text = "";
  #hasEnded = false;

  /** @param name - For the message of a wait that failed. */
  constructor(stream: Readable, name: string) {
    this.#name = name;
    stream.setEncoding("utf8");
    stream.on("data", (piece: string) => {
      this.#text += piece;
      this.#notify();
    });
    stream.once("close", () => {
      this.#hasEnded = true;
      this.#notify();
    });
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves with the first match, now or later. Fails at the end of the stream, or after 20 s. */
  async matching(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#when(() => pattern.exec(this.#text) ?? undefined, String(pattern));
  }

  /** Resolves when the pattern, which has the flag `g`, has matched that often. */
  async matchingTimes(pattern: RegExp, count: number): Promise<void> {
    const hasAll = (): true | undefined =>
      (this.#text.match(pattern)?.length ?? 0) >= count ? true : undefined;
    await this.#when(hasAll, `${count} times ${String(pattern)}`);
  }

  async #when<T>(look: () => T | undefined, what: string): Promise<T> {
    let watcher: (() => void) | undefined;
    const found = new Promise<T>((resolve, reject) => {
      watcher = () => {
        const value = look();
        if (value !== undefined) resolve(value);
        else if (this.#hasEnded) reject(new Error(`${this.#name} ended without ${what}:\n${this.#text}`));
      };
      this.#watchers.add(watcher);
      watcher();
    });
    try {
      return await withTimeout(found, matchTimeoutMs, `${this.#name}: ${what}`);
    } finally {
      if (watcher !== undefined) this.#watchers.delete(watcher);
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
