import { toPrintable } from "./printable.js";

/**
 * Writes a table as V2Ray's commands do: a heading, and numbered rows below it.
 *
 * @param widths - Of the columns, but for the last one if that is to end with its text.
 */
export function formatRows(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): string {
  const write = (start: string, cells: readonly string[]): string =>
    `${start.padEnd(4)}${cells.map((cell, column) => toPrintable(cell).padEnd(widths[column] ?? 0)).join("")}\n`;
  return [write("", heading), ...rows.map((row, index) => write(`${index + 1}`, row))].join("");
}
