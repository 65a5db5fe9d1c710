import fc from "fast-check";

/*
 * Bytes as inputs are text, one character a byte (latin1): HTTP stays readable in a corpus, and SOCKS can be read, too.
 */

/** The bytes that a text stands for. */
export function toBytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** The text that stands for bytes. */
export function toText(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString("latin1");
}

const anyByte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));

/** Bytes that tell messages, lines and fields apart. */
const tellingByte = oneOf('\0\u0001\u0004\u0005\t\n\r "#%,-./0:;?@[\\]_{}\u007f\u0080\u00ff');

/** One character of a text. */
export function oneOf(characters: string): fc.Arbitrary<string> {
  return fc.constantFrom(...Array.from(characters));
}

/** Any bytes. */
export function anyBytes(maxLength = 300): fc.Arbitrary<string> {
  return fc.string({ unit: fc.oneof(anyByte, tellingByte), maxLength });
}

/** One change of a text. */
interface Mutation {
  readonly kind: "replace" | "insert" | "delete" | "repeat" | "cut";
  /** Where, in ten-thousandths of the text. */
  readonly at: number;
  readonly byte: string;
  readonly length: number;
}

/** A place in a text, in ten-thousandths of it. (A double would almost always be near the beginning.) */
export const anywhere: fc.Arbitrary<number> = fc.nat(9_999);

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("replace", "insert", "delete", "repeat", "cut"),
  at: anywhere,
  byte: fc.oneof(anyByte, tellingByte),
  length: fc.integer({ min: 1, max: 12 }),
});

/** Texts with a few bytes changed: `min` to `max` changes. */
export function mutated(
  texts: fc.Arbitrary<string>,
  { min = 0, max = 3 }: { readonly min?: number; readonly max?: number } = {},
): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(mutation, { minLength: min, maxLength: max }))
    .map(([text, mutations]) => mutations.reduce(mutate, text));
}

function mutate(text: string, { kind, at, byte, length }: Mutation): string {
  const start = Math.floor((at / 10_000) * text.length);
  const [before, behind] = [text.slice(0, start), text.slice(start)];
  switch (kind) {
    case "replace":
      return `${before}${byte}${behind.slice(1)}`;
    case "insert":
      return `${before}${byte}${behind}`;
    case "delete":
      return `${before}${behind.slice(1)}`;
    case "repeat":
      return `${before}${behind.slice(0, length)}${behind}`;
    case "cut":
      return before;
  }
}

/** Where to cut bytes into segments. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.array(fc.nat(40), { maxLength: 6 }),
  fc.array(fc.nat(1_000), { maxLength: 6 }),
);

/** Cuts the bytes of a text behind those offsets, as far as they lie inside. */
export function cutAt(text: string, offsets: readonly number[]): readonly Buffer[] {
  const inside = [...new Set(offsets)].filter((offset) => offset > 0 && offset < text.length);
  const bounds = [0, ...inside.sort((a, b) => a - b), text.length];
  return bounds.slice(1).map((end, index) => toBytes(text.slice(bounds[index], end)));
}
