import type { z } from "zod";
import { parseDuration } from "./duration.js";
import { textField } from "./fields.js";

/** The longest time that a timer can wait, in milliseconds. */
const maxMs = 2 ** 31 - 1;

const expected = `a duration such as "300ms", "5s" or "1m30s", longer than 0 and at most ${maxMs}ms`;

/**
 * How long something may take, written as {@link parseDuration} reads it; becomes whole milliseconds, at least 1.
 *
 * @param defaultText - Where there is none.
 */
export function durationField(
  about: string,
  defaultText: string,
): z.ZodPipe<z.ZodDefault<z.ZodString>, z.ZodTransform<number, string>> {
  return textField(about, expected, isTimeout).default(defaultText).transform(toMs);
}

/** The same, or "0" for never, which becomes 0. */
export function durationOrNeverField(about: string, defaultText: string): ReturnType<typeof durationField> {
  return textField(about, `${expected}, or "0" for never`, (text) => isNever(text) || isTimeout(text))
    .default(defaultText)
    .transform((text) => (isNever(text) ? 0 : toMs(text)));
}

function isNever(text: string): boolean {
  return parseDuration(text) === 0;
}

function toMs(text: string): number {
  return Math.max(1, Math.round(parseDuration(text) ?? 0));
}

function isTimeout(text: string): boolean {
  const ms = parseDuration(text);
  return ms !== undefined && ms > 0 && ms <= maxMs;
}
