/** What can be written: protobuf's 64-bit integers are bigints. */
export type GoJsonValue =
  string | number | bigint | readonly GoJsonValue[] | { readonly [key: string]: GoJsonValue };

/** Writes JSON as Xray prints it: four spaces, the keys of an object sorted, 64-bit integers as numbers, an empty line at the end. */
export function formatGoJson(value: GoJsonValue): string {
  return `${format(value, "\n")}\n\n`;
}

/** What Xray prints of a message: only the fields that say something. */
export function withoutZeros(fields: Readonly<Record<string, GoJsonValue>>): GoJsonValue {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isZero(value)));
}

function format(value: GoJsonValue, line: string): string {
  if (typeof value === "string") return formatText(value);
  if (typeof value !== "object") return value.toString();
  const inner = `${line}    `;
  if (isList(value))
    return wrap(
      "[",
      value.map((item) => format(item, inner)),
      "]",
      line,
    );
  const items = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${formatText(key)}: ${format(item, inner)}`);
  return wrap("{", items, "}", line);
}

function wrap(open: string, items: readonly string[], close: string, line: string): string {
  return items.length === 0
    ? open + close
    : open + items.map((item) => `${line}    ${item}`).join(",") + line + close;
}

/** Go escapes the two line ends that JavaScript once could not have in a string. */
function formatText(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function isZero(value: GoJsonValue): boolean {
  if (typeof value === "object") return Object.keys(value).length === 0;
  return value === "" || value === 0 || value === 0n;
}

function isList(value: object): value is readonly GoJsonValue[] {
  return Array.isArray(value);
}
