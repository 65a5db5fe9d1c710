import { isIP } from "node:net";
import { z } from "zod";
import { maxPort } from "../net/endpoint.js";
import { isPlausibleHost } from "../proxy/plausible-host.js";

/*
 * Every field says twice what it takes: in words for a message and in words for the reference. The same words serve as
 * both, and what a reader of the reference wants to know besides, what the field is for, comes first.
 */

/**
 * A string.
 *
 * @param about - What the field is for, as a sentence.
 * @param expected - What it has to be, as it ends the sentence "expected …".
 * @param isValid - Tells good strings from bad ones. Default: every string is good.
 */
export function textField(
  about: string,
  expected: string,
  isValid: (text: string) => boolean = () => true,
): z.ZodString {
  return z
    .string({ error: expected })
    .refine(isValid, { error: expected })
    .describe(`${about} Expected: ${expected}.`);
}

/** `true` or `false`. */
export function flagField(about: string): z.ZodBoolean {
  return z.boolean({ error: "true or false" }).describe(about);
}

/** A port to listen on, 0 to 65535; 0 takes any free port. */
export function portField(about: string): z.ZodNumber {
  return wholeNumberField(about, "a port number", { least: 0, most: maxPort });
}

/** A port to connect to, 1 to 65535. */
export function remotePortField(about: string): z.ZodNumber {
  return wholeNumberField(about, "a port number", { least: 1, most: maxPort });
}

/** A host to connect to, which is looked up when it is needed. */
export function hostField(about: string): z.ZodString {
  return textField(about, "an IP address without brackets, or a host name", isHost);
}

/** How many of something there may be. */
export function countField(about: string, range: Range): z.ZodNumber {
  return wholeNumberField(about, "a whole number", range);
}

/** What tells the types of inbounds, or of outbounds, apart. */
export function typeField<Type extends string>(type: Type): z.ZodLiteral<Type> {
  return z.literal(type).describe("Which type it is; the other keys depend on it.");
}

/** Whether a number is a port number, 0 included. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= maxPort;
}

/** Both bounds included. */
interface Range {
  readonly least: number;
  readonly most: number;
}

function wholeNumberField(about: string, kind: string, { least, most }: Range): z.ZodNumber {
  const expected = `${kind} from ${least} to ${most}`;
  const isInRange = (number: number): boolean =>
    Number.isInteger(number) && number >= least && number <= most;
  // One refinement instead of int(), min() and max(): a number out of range is one issue, however far out.
  return z
    .number({ error: expected })
    .refine(isInRange, { error: expected })
    .meta({
      description: `${about} Expected: ${expected}.`,
      type: "integer",
      minimum: least,
      maximum: most,
    });
}

/** A name has no place for what ends it in an address or a URL. */
function isHost(text: string): boolean {
  return isIP(text) !== 0 || (isPlausibleHost(text) && !/[:/?#@[\]]/.test(text));
}
