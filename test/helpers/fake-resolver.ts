import assert from "node:assert/strict";
import type { Lookup } from "../../src/net/dial.js";

/** Somebody who asked for a name's addresses. */
interface Asker {
  readonly resolve: (addresses: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** A resolver of names that knows nothing by itself: a test answers for it, in the order in which it was asked. */
export class FakeResolver {
  /** The names that were asked for, each time. */
  readonly asked: string[] = [];
  readonly #waiting: Asker[] = [];

  readonly lookup: Lookup = async (host) => {
    this.asked.push(host);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  /** How many look-ups have no answer yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Answers the look-up that has waited longest. */
  answer(...addresses: readonly string[]): void {
    this.#next().resolve(addresses);
  }

  /** Answers all look-ups that wait. */
  answerAll(...addresses: readonly string[]): void {
    while (this.#waiting.length > 0) this.answer(...addresses);
  }

  /** Fails the look-up that has waited longest. */
  fail(message: string): void {
    this.#next().reject(new Error(message));
  }

  #next(): Asker {
    const next = this.#waiting.shift();
    assert.ok(next !== undefined, "nobody has asked");
    return next;
  }
}
