import type { LogFields } from "../index.js";
import { toPrintable } from "./printable.js";

/** How important a line is. */
export type LineLevel = "debug" | "info" | "warn" | "error";

/** One line of the log. */
export interface LogLine {
  readonly level: LineLevel;
  readonly message: string;
  readonly fields: LogFields;
  /** When it was written. Without it the line does not say so. */
  readonly time?: Date | undefined;
}

/** A line for programs: a JSON object. */
export function formatJsonLine({ level, message, fields, time }: LogLine): string {
  return `${JSON.stringify({ level, time, ...fields, message })}\n`;
}

/**
 * A line for people: the local time, the level, the message, and the fields in JSON, in which no control character gets to a
 * terminal.
 *
 * @param isColored - Whether a terminal shows it.
 */
export function formatTextLine({ level, message, fields, time }: LogLine, isColored: boolean): string {
  const paint = (color: number, text: string): string =>
    isColored && text !== "" ? `\u001b[${color}m${text}\u001b[39m` : text;
  const json = JSON.stringify(fields);
  return [
    time === undefined ? "" : `[${formatLocalTime(time)}] `,
    `${paint(levelColors[level], level.toUpperCase())}: ${paint(cyan, message)}`,
    // Of the control characters JSON leaves DEL and those of Latin-1 as they are, and terminals obey them.
    json === "{}" ? "" : ` ${paint(gray, toPrintable(json))}`,
    "\n",
  ].join("");
}

const [cyan, gray] = [36, 90];
/** Red is what somebody ought to look at. */
const levelColors: Readonly<Record<LineLevel, number>> = { debug: 34, info: 32, warn: 33, error: 31 };

/** `2026-07-01 23:59:59.999 +0200` */
function formatLocalTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const date = [time.getFullYear(), pad(time.getMonth() + 1), pad(time.getDate())].join("-");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => pad(part)).join(":");
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = `${offset < 0 ? "-" : "+"}${pad(hours)}${pad(minutes)}`;
  return `${date} ${clock}.${pad(time.getMilliseconds(), 3)} ${zone}`;
}

function pad(part: number, width = 2): string {
  return String(part).padStart(width, "0");
}
