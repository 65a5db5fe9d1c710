import { isDeepStrictEqual } from "node:util";

/** Something that a run has found out, and whether it is as it must be. */
export interface Fact {
  readonly text: string;
  readonly holds: boolean;
}

/** What a run finds out. Nothing is thrown: a run that found one thing wrong goes on and finds the others, too. */
export class Facts {
  readonly #facts: Fact[] = [];
  #when = "";

  get list(): readonly Fact[] {
    return this.#facts;
  }

  /** Says when what follows is found out, in words that stand before each fact. */
  during(when: string): void {
    this.#when = `${when}: `;
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) this.#add(`${what}: ${show(actual)}`, true);
    else this.#add(`${what}: ${show(actual)}, expected ${show(expected)}`, false);
  }

  /** @param unit - Default: bytes. */
  between(what: string, actual: number, least: number, most: number, unit = "bytes"): void {
    const holds = actual >= least && actual <= most;
    const range = least === -Infinity ? `at most ${show(most)}` : `${show(least)} to ${show(most)}`;
    this.#add(`${what}: ${show(actual)}, expected ${range} ${unit}`, holds);
  }

  atMost(what: string, actual: number, most: number, unit = "bytes"): void {
    this.between(what, actual, -Infinity, most, unit);
  }

  /** Something went so wrong that the run could not go on. */
  failed(error: unknown): void {
    this.#add(error instanceof Error ? (error.stack ?? error.message) : String(error), false);
  }

  #add(text: string, holds: boolean): void {
    this.#facts.push({ text: this.#when + text, holds });
  }
}

function show(value: unknown): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : JSON.stringify(value);
}
