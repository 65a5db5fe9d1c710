/** A place in a text, as editors count: the first line and its first character are 1. */
export interface SourcePosition {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

/** The offset of each line's first character. A line ends with `\n`, `\r\n` or `\r`. */
export function findLineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const { 0: lineBreak, index } of text.matchAll(/\r\n|\n|\r/g)) starts.push(index + lineBreak.length);
  return starts;
}

/** Which line and column an offset is. */
export function positionOf(lineStarts: readonly number[], offset: number): SourcePosition {
  const line = countBefore(lineStarts, (lineStart) => lineStart > offset);
  return { line, column: offset - (lineStarts[line - 1] ?? 0) + 1 };
}

/** How many items of a list stand before those that meet a condition, which stand together at its end. */
export function countBefore<Item>(items: readonly Item[], meetsCondition: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const item = items[middle];
    if (item === undefined || meetsCondition(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
