import { formatWithOptions } from "node:util";
import fc from "fast-check";
import { readBudget } from "./budget.js";
import { addToCorpus, readCorpus } from "./corpus.js";
import { failOnStrayErrors } from "./stray-errors.js";

/** Something that holds for every input. */
export interface Property<Input> {
  /** Names its corpus. */
  readonly name: string;
  /** Plain JSON values, so that an input can be kept in the corpus as it is. */
  readonly inputs: fc.Arbitrary<Input>;
  /** Fails for an input for which it does not hold. */
  readonly holds: (input: Input) => Promise<void> | void;
}

/** For `it()`: bounds the test, however large the budget. */
export const fuzzLimits = { timeout: (readBudget(process.env).seconds + 100) * 1_000 };

/** How long to look for a smaller input that fails too, in milliseconds. */
const shrinkMs = 5_000;

/**
 * Tries a property with its corpus and then, as long as the budget lasts, with random inputs.
 *
 * @throws Error with the smallest input found for which it does not hold, the seed, and the cause.
 */
export async function fuzz<Input>({ name, inputs, holds }: Property<Input>): Promise<void> {
  const { seconds, seed, isRecording } = readBudget(process.env);
  let deadline = Infinity;
  let hasFailed = false;
  const property = fc.asyncProperty(inputs, async (input) => {
    // Unlike fast-check's own time limit this one lets the last input come to its end, with all its connections.
    if (Date.now() >= deadline) throw new fc.PreconditionFailure(true);
    try {
      // As it would come out of the corpus.
      const replayed = JSON.parse(JSON.stringify(input)) as Input;
      await failOnStrayErrors(async () => holds(replayed));
    } catch (error) {
      if (!hasFailed) deadline = Date.now() + shrinkMs;
      hasFailed = true;
      throw error;
    }
  });

  const corpus = readCorpus(name);
  const examples = corpus.map(({ input }): [Input] => [input as Input]);
  const replay = await fc.check(property, { examples, numRuns: examples.length, endOnFailure: true });
  if (replay.failed) throw failure(name, `corpus: ${corpus[replay.numRuns - 1]?.why ?? ""}`, replay);

  deadline = Date.now() + seconds * 1_000;
  const search = await fc.check(property, { seed, numRuns: Number.MAX_SAFE_INTEGER });
  // Where the machine is busy the time may be over before the first input: that is no failure.
  if (!search.failed || search.counterexample === null) return;
  if (isRecording) {
    addToCorpus(name, { why: messageOf(search.errorInstance), input: search.counterexample[0] });
  }
  const { numRuns, numShrinks } = search;
  throw failure(name, `seed ${seed}, input ${numRuns}, made smaller ${numShrinks} times`, search);
}

function failure<Input>(
  name: string,
  where: string,
  { counterexample, errorInstance }: fc.RunDetails<[Input]>,
): Error {
  const input = JSON.stringify(counterexample?.[0]);
  const message = `property ${name} does not hold (${where}) for\n${input}\n${messageOf(errorInstance)}`;
  return new Error(message, { cause: errorInstance });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return formatWithOptions({ depth: 3 }, error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
