import { systemLookup, type Lookup } from "./dial.js";
import { canonicalAddress } from "./ip-address.js";
import { toError } from "./system-error.js";
import { Turns } from "./turns.js";

/** How long what a look-up found is used, in milliseconds: getaddrinfo(3) does not say how long it may be (no TTL). */
const keepMs = 60_000;
/** How long a name that has no address is not looked up again, in milliseconds. */
const keepFailureMs = 5_000;
/** How many names are remembered. */
const maxNameCount = 4_096;
/** How many look-ups may run at once: all of a process share four threads, and what waits there cannot be called off. */
const maxLookupCount = 32;
/** How many names may wait for one of these. */
const maxWaitingCount = 256;
/** After how long in the queue nobody is taken to wait for the answer any more, in milliseconds. */
const maxWaitMs = 10_000;

/** What is known of a name: its addresses, or why there are none. */
type Answer =
  | { readonly addresses: readonly string[]; readonly expiresAtMs: number }
  | { readonly failure: Error; readonly expiresAtMs: number };

export interface ResolverOptions {
  /** Default: the operating system's resolver. */
  readonly lookup?: Lookup;
}

/**
 * Finds the addresses of names, with one look-up for all who ask within a minute, and a bounded number of look-ups at once.
 *
 * One is shared by all of an app, so that neither many clients of one name nor one client of many names keep the others
 * from being resolved. It is for names only: whoever has an IP address does not ask.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #turns = new Turns({ maxRunningCount: maxLookupCount, maxWaitingCount, maxWaitMs });
  readonly #answers = new Map<string, Answer>();
  /** The names that are being looked up, or wait for that. */
  readonly #asked = new Map<string, Promise<readonly string[]>>();

  constructor({ lookup = systemLookup }: ResolverOptions = {}) {
    this.#lookup = lookup;
  }

  /** The addresses of a name, the preferred first, as sockets write them; `undefined` if they have to be resolved first. */
  get(name: string): readonly string[] | undefined {
    const answer = this.#answerTo(name);
    return answer !== undefined && "addresses" in answer ? answer.addresses : undefined;
  }

  /**
   * Looks a name up if its addresses are not known; whoever asks while that goes on is given the same answer.
   *
   * @throws Error if it has no address, or if too many others are being looked up.
   */
  readonly resolve: Lookup = async (name) => {
    const answer = this.#answerTo(name);
    if (answer !== undefined) {
      if ("failure" in answer) throw answer.failure;
      return answer.addresses;
    }
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    // What the queue refuses says nothing of the name, and is not remembered.
    const asked = this.#turns.run(async () => this.#lookUp(name));
    this.#asked.set(name, asked);
    const forget = (): void => {
      this.#asked.delete(name);
    };
    asked.then(forget, forget);
    // Returned as it is to all, so that they go on in the order in which they asked.
    return asked;
  };

  async #lookUp(name: string): Promise<readonly string[]> {
    try {
      const addresses = (await this.#lookup(name)).map(canonicalAddress);
      if (addresses.length === 0) throw new Error(`${name} has no address`);
      this.#remember(name, { addresses, expiresAtMs: performance.now() + keepMs });
      return addresses;
    } catch (error) {
      const failure = toError(error);
      this.#remember(name, { failure, expiresAtMs: performance.now() + keepFailureMs });
      throw failure;
    }
  }

  #answerTo(name: string): Answer | undefined {
    const answer = this.#answers.get(name);
    if (answer === undefined || answer.expiresAtMs > performance.now()) return answer;
    this.#answers.delete(name);
    return undefined;
  }

  /** Forgets the name that has been known longest, if there are too many. */
  #remember(name: string, answer: Answer): void {
    this.#answers.set(name, answer);
    if (this.#answers.size <= maxNameCount) return;
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest);
      return;
    }
  }
}
