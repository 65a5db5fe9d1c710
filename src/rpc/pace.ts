import { setImmediate as nextTurn } from "node:timers/promises";

/** How long work may go on before others have their turn, in milliseconds. */
const maxSliceMs = 2;
/** How long one step of it should take, in milliseconds: between two steps somebody looks at the clock. */
const stepMs = 0.25;
const maxStepLength = 1_024;

/**
 * Cuts long work on many things into steps, and lets the event loop turn between them, since tunnels and other callers run
 * on the same one.
 *
 * What a thing costs is found out by doing: steps begin with one thing, become longer while they are short, and shorter
 * when they are not.
 */
export class Pace {
  #stepLength = 1;
  #sliceStart = performance.now();
  #stepStart = this.#sliceStart;

  /** How many things the next step should take, at most 1,024. */
  get stepLength(): number {
    return this.#stepLength;
  }

  /**
   * To be called after each step.
   *
   * @returns a promise to wait for before the next one, if it is others' turn.
   */
  step(): Promise<void> | undefined {
    const now = performance.now();
    const tookMs = now - this.#stepStart;
    if (tookMs < stepMs) this.#stepLength = Math.min(this.#stepLength * 2, maxStepLength);
    else if (tookMs > 2 * stepMs) this.#stepLength = Math.max(this.#stepLength >>> 1, 1);
    this.#stepStart = now;
    return now - this.#sliceStart < maxSliceMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await nextTurn();
    this.#sliceStart = performance.now();
    this.#stepStart = this.#sliceStart;
  }
}
