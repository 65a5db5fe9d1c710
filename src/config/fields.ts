import { z } from "zod";
import { maxPort } from "../net/endpoint.js";

/**
 * A string.
 *
 * @param expected - What it has to be, as it ends the sentence "expected …".
 * @param isValid - Tells good strings from bad ones. Default: every string is good.
 */
export function textField(expected: string, isValid: (text: string) => boolean = () => true): z.ZodString {
  return z.string({ error: expected }).refine(isValid, { error: expected });
}

/** `true` or `false`. */
export function flagField(): z.ZodBoolean {
  return z.boolean({ error: "true or false" });
}

/** A port to listen on, 0 to 65535; 0 takes any free port. */
export function portField(): z.ZodNumber {
  const expected = `a port number from 0 to ${maxPort}`;
  // One refinement instead of int(), min() and max(): a port out of range is one issue, however far out.
  return z.number({ error: expected }).refine(isPort, { error: expected });
}

/** Whether a number is a port number, 0 included. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= maxPort;
}
