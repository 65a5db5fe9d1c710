import type { Logger } from "../log/logger.js";
import { toError } from "../net/system-error.js";
import type { ListeningPart } from "./part.js";
import { openParts, swapParts } from "./swap-parts.js";

/** The parts of an app that have something open; those whose place others have taken are among them until all of it has ended. */
export class RunningParts {
  readonly #parts = new Set<ListeningPart>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Opens parts one after the other.
   *
   * @throws StartError of the first one that cannot be opened; none of them is open then.
   */
  async open(parts: readonly ListeningPart[]): Promise<void> {
    await openParts(parts);
    for (const part of parts) this.#parts.add(part);
  }

  /**
   * Opens those that come.
   *
   * @param old - Those that were in use so far.
   * @param next - Those that are to be from here on; some of them may be the same.
   * @returns the old ones that are to go and are still open.
   * @throws StartError if one cannot be opened. All is as before then, but for those that could not be opened again.
   */
  async swap(
    old: readonly ListeningPart[],
    next: readonly ListeningPart[],
  ): Promise<readonly ListeningPart[]> {
    const going = old.filter((part) => !next.includes(part));
    const coming = next.filter((part) => !old.includes(part));
    try {
      await swapParts({ going, coming, logger: this.#logger });
    } finally {
      for (const part of [...going, ...coming]) {
        if (part.address === undefined) this.#parts.delete(part);
        else this.#parts.add(part);
      }
    }
    return going.filter((part) => this.#parts.has(part));
  }

  /**
   * Closes one of them, and resolves when all that it had accepted has ended. It never rejects.
   *
   * @param cut - Default: when the part's time of grace is over.
   */
  async close(part: ListeningPart, cut?: AbortSignal): Promise<void> {
    await this.#settle(part, part.close(cut));
    this.#parts.delete(part);
  }

  /** Discards parts that will not be opened any more; nothing happens to those that were. It never rejects. */
  async discard(parts: readonly ListeningPart[]): Promise<void> {
    await Promise.all(parts.map(async (part) => this.#settle(part, part.discard())));
  }

  /** Closes all of them. It never rejects. */
  async closeAll(cut: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.#parts, async (part) => this.close(part, cut)));
  }

  async #settle({ name }: ListeningPart, stopped: Promise<void>): Promise<void> {
    try {
      await stopped;
    } catch (error) {
      this.#logger.error(`${name} did not stop: ${toError(error).message}`);
    }
  }
}
