export interface AdmissionPaceOptions {
  /** How many newcomers have their turn in one turn of the event loop. Default: 8. */
  readonly maxPerTurn?: number;
  /** How long after one newcomer of a source that has flooded comes the next such, in milliseconds. Default: 20. */
  readonly slowedGapMs?: number;
  /** How long a source is remembered that has flooded, in milliseconds. Default: 60,000. */
  readonly slowedMs?: number;
  /** How many such sources are remembered. Beyond it the one that flooded first is forgotten. Default: 16,384. */
  readonly maxSources?: number;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

/** Somebody who waits to be let in. */
interface Newcomer {
  readonly isGone: () => boolean;
  readonly enter: () => void;
}

/**
 * Lets newcomers in a few at a time: what one of them sends at once may take milliseconds, and a hundred that come together are
 * not to hold everybody else up.
 *
 * Those of sources that have flooded lately go one by one, at intervals, each source in turn, and keep none of the others
 * waiting. Nobody is refused: everybody behind a NAT shares a source.
 */
export class AdmissionPace {
  readonly #options: Required<AdmissionPaceOptions>;
  readonly #waiting: (() => void)[] = [];
  /** By their source; that whose turn was longest ago comes first. */
  readonly #slowed = new Map<string, Newcomer[]>();
  /** When each source flooded that is remembered, the longest ago first. */
  readonly #flooders = new Map<string, number>();
  /** How many had their turn in this one of the event loop. */
  #count = 0;
  #isTurnAwaited = false;
  #isGap = false;

  constructor({
    maxPerTurn = 8,
    slowedGapMs = 20,
    slowedMs = 60_000,
    maxSources = 16_384,
    now = () => performance.now(),
  }: AdmissionPaceOptions = {}) {
    this.#options = { maxPerTurn, slowedGapMs, slowedMs, maxSources, now };
  }

  /** How many sources are remembered for a flood. */
  get flooderCount(): number {
    return this.#flooders.size;
  }

  /**
   * Resolves when it is the turn of a newcomer from that source, who may be gone by then.
   *
   * @param isGone - Asked when it is: at intervals, whoever is gone keeps nobody waiting. Default: nobody goes.
   */
  async turn(source: string, isGone = (): boolean => false): Promise<void> {
    return new Promise((enter) => {
      if (this.#isSlowed(source)) {
        const newcomer = { isGone, enter };
        const queue = this.#slowed.get(source);
        if (queue === undefined) this.#slowed.set(source, [newcomer]);
        else queue.push(newcomer);
        this.#letSlowedIn();
      } else {
        this.#waiting.push(enter);
        this.#letIn();
      }
    });
  }

  /** Has newcomers of a source go one by one from now on. */
  slow(source: string): void {
    const { maxSources, now } = this.#options;
    this.#flooders.delete(source);
    const [oldest] = this.#flooders.keys();
    if (oldest !== undefined && this.#flooders.size >= maxSources) this.#flooders.delete(oldest);
    this.#flooders.set(source, now());
  }

  #isSlowed(source: string): boolean {
    const since = this.#flooders.get(source);
    if (since === undefined) return false;
    const { slowedMs, now } = this.#options;
    if (now() - since < slowedMs) return true;
    this.#flooders.delete(source);
    return false;
  }

  #letIn(): void {
    while (this.#count < this.#options.maxPerTurn) {
      const enter = this.#waiting.shift();
      if (enter === undefined) break;
      this.#count += 1;
      enter();
    }
    if (this.#isTurnAwaited || this.#count === 0) return;
    this.#isTurnAwaited = true;
    setImmediate(() => {
      this.#isTurnAwaited = false;
      this.#count = 0;
      this.#letIn();
    });
  }

  #letSlowedIn(): void {
    if (this.#isGap) return;
    const newcomer = this.#takeSlowed();
    if (newcomer === undefined) return;
    newcomer.enter();
    this.#isGap = true;
    const timer = setTimeout(() => {
      this.#isGap = false;
      this.#letSlowedIn();
    }, this.#options.slowedGapMs);
    // Whoever waits has a connection, which keeps the process alive.
    timer.unref();
  }

  /** The next of them who is still there. Those before who are gone have their turn at once. */
  #takeSlowed(): Newcomer | undefined {
    for (const [source, queue] of this.#slowed) {
      let newcomer = queue.shift();
      for (; newcomer?.isGone() === true; newcomer = queue.shift()) newcomer.enter();
      this.#slowed.delete(source);
      if (queue.length > 0) this.#slowed.set(source, queue);
      if (newcomer !== undefined) return newcomer;
    }
    return undefined;
  }
}
