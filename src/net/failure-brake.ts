import { performance } from "node:perf_hooks";
import { CountsByKey } from "./counts-by-key.js";

export interface FailureBrakeOptions {
  /** How many failures of a source within the window are answered at once. Default: 10. */
  readonly freeCount?: number;
  /** The window, in milliseconds, which begins with a source's first failure. Default: 60,000. */
  readonly windowMs?: number;
  /**
   * How long the answer to a further failure waits, in milliseconds. Default: 2,000, which is less than clients of the
   * family wait: whoever has mistyped a secret is still told so.
   */
  readonly delayMs?: number;
  /** How many sources are remembered. Beyond it the one whose window began first is forgotten. Default: 16,384. */
  readonly maxSources?: number;
  /** How many places there are, over all sources, in each of which an answer waits for its time. Default: 1,024. */
  readonly maxWaiting?: number;
  /** How many of them one source may take, so that others have room, too. Default: 64. */
  readonly maxWaitingPerSource?: number;
  /** Told of each source, once in its window, when its failures begin to be answered late. Default: nobody is told. */
  readonly onSlowed?: (source: string) => void;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

interface Failures {
  readonly since: number;
  count: number;
}

export interface ScheduleOptions {
  /** Aborts when there is no more time: what waits is answered at once then, and nothing waits after it. Default: never. */
  readonly hurry?: AbortSignal | undefined;
}

/**
 * Slows the answers to those who fail again and again: at a login, or with a secret.
 *
 * It is told of failures alone and delays nothing else: everybody on a host or behind a NAT shares a source, and who has
 * the right secret must not suffer from those who guess. So it hides nothing: a right one is answered at once, and whoever
 * hears nothing for a moment knows that it was wrong. What keeps guessers out is a long random secret. The brake has their
 * guesses cost them places, of which there are few, and beyond these connections, which its user is to cut.
 */
export class FailureBrake {
  readonly #options: Required<FailureBrakeOptions>;
  /** In the order in which their windows began. */
  readonly #sources = new Map<string, Failures>();
  /** The places that are taken, by their source. */
  readonly #places = new CountsByKey<string>();

  constructor({
    freeCount = 10,
    windowMs = 60_000,
    delayMs = 2_000,
    maxSources = 16_384,
    maxWaiting = 1_024,
    maxWaitingPerSource = 64,
    onSlowed = ignore,
    now = () => performance.now(),
  }: FailureBrakeOptions = {}) {
    const bounds = { maxSources, maxWaiting, maxWaitingPerSource };
    this.#options = { freeCount, windowMs, delayMs, ...bounds, onSlowed, now };
  }

  /**
   * Counts a failure of a source and has it answered, now or after the delay.
   *
   * @returns how to call the answer off, which may be done at any time. Its place stays taken until the delay is over, or
   * whoever leaves at once could go on without end. `undefined` if so many places are taken, of this source or of all, that
   * this failure is not answered: the connection that it came by is to be cut.
   */
  schedule(source: string, answer: () => void, { hurry }: ScheduleOptions = {}): (() => void) | undefined {
    const { freeCount, delayMs, onSlowed } = this.#options;
    const failures = this.#failuresOf(source);
    failures.count += 1;
    if (failures.count === freeCount + 1) onSlowed(source);
    if (failures.count <= freeCount || hurry?.aborted === true) {
      answer();
      return ignore;
    }
    if (!this.#hasRoomFor(source)) return undefined;
    const leave = this.#places.take(source);
    // Whoever leaves takes with it what the answer holds.
    let given: (() => void) | undefined = answer;
    const onDue = (): void => {
      clearTimeout(timer);
      hurry?.removeEventListener("abort", onDue);
      leave();
      given?.();
    };
    const timer = setTimeout(onDue, delayMs);
    hurry?.addEventListener("abort", onDue);
    return () => {
      given = undefined;
      // The process need not live on for a place alone.
      timer.unref();
    };
  }

  #hasRoomFor(source: string): boolean {
    const { maxWaiting, maxWaitingPerSource } = this.#options;
    return this.#places.total < maxWaiting && this.#places.get(source) < maxWaitingPerSource;
  }

  #failuresOf(source: string): Failures {
    const { windowMs, maxSources, now } = this.#options;
    const time = now();
    const known = this.#sources.get(source);
    if (known !== undefined && time - known.since < windowMs) return known;
    this.#sources.delete(source);
    const [oldest] = this.#sources.keys();
    if (oldest !== undefined && this.#sources.size >= maxSources) this.#sources.delete(oldest);
    const failures = { since: time, count: 0 };
    this.#sources.set(source, failures);
    return failures;
  }
}

function ignore(): void {
  // There is nothing left to do.
}
