import { z } from "zod";
import { showValue } from "./shown-value.js";

/**
 * An object with a fixed set of keys; any other key is an issue that lists these.
 *
 * Throughout the schema an error text says what is expected, and `schema-issues.ts` makes the sentence of it.
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const knownKeys = oneOf(Object.keys(shape));
  return z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? knownKeys : "an object"),
  });
}

/** Which of several objects it is depends on `type`: says which types there are. */
export function typeOneOf(types: readonly string[]): (issue: { code?: string | undefined }) => string {
  const knownTypes = oneOf(types);
  return ({ code }) => (code === "invalid_union" ? knownTypes : "an object");
}

/** Says what may be chosen: `"a"`, or `one of "a", "b"`. */
export function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? choices.map(showValue).join() : `one of ${choices.map(showValue).join(", ")}`;
}
