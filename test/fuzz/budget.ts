/** How long each property is tried, and with which random inputs. */
export interface FuzzBudget {
  /** For each property, not counting its corpus, which is always tried in full. */
  readonly seconds: number;
  /** The same seed gives the same inputs in the same order; how many of them depends on the machine. */
  readonly seed: number;
  /** Whether to add what is found to the corpus. */
  readonly isRecording: boolean;
}

/** Short enough for every `npm test`. */
const testSeconds = 0.3;
const testSeed = 20_260_101;

/**
 * Reads the budget from the environment.
 *
 * `V2RAY_API_FUZZ_SECONDS` makes it a search: with a random seed, unless `V2RAY_API_FUZZ_SEED` sets it, and what it finds
 * is added to the corpus. Without it a property is tried for less than a second, always with the same seed.
 */
export function readBudget({
  V2RAY_API_FUZZ_SECONDS: seconds,
  V2RAY_API_FUZZ_SEED: seed,
}: NodeJS.ProcessEnv): FuzzBudget {
  const isSearch = seconds !== undefined;
  const defaultSeed = isSearch ? Math.trunc(Math.random() * 2 ** 31) : testSeed;
  return {
    seconds: isSearch ? numberIn("V2RAY_API_FUZZ_SECONDS", seconds) : testSeconds,
    seed: seed === undefined ? defaultSeed : numberIn("V2RAY_API_FUZZ_SEED", seed),
    isRecording: isSearch,
  };
}

function numberIn(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) {
    throw new RangeError(`${name}: expected a number, got ${JSON.stringify(text)}`);
  }
  return number;
}
