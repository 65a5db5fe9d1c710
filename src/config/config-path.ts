import { withoutControls } from "./shown-value.js";

/** Where a value stands in the config: keys and list indexes from the root on. Empty for the root itself. */
export type ConfigPath = readonly (string | number)[];

/**
 * Writes a path as people write it: `inbounds[0].users[1].username`.
 *
 * A key that is not a plain word is put in brackets and quotes (`log["out put"]`), so that it can neither be mistaken
 * for several keys nor bring control characters to a terminal. The root is the empty string.
 */
export function formatConfigPath(path: ConfigPath): string {
  return path.map(formatSegment).join("");
}

function formatSegment(segment: string | number, index: number): string {
  if (typeof segment === "number") return `[${segment}]`;
  if (!/^[A-Za-z_$][\w$-]*$/.test(segment)) return `[${withoutControls(JSON.stringify(segment))}]`;
  return index === 0 ? segment : `.${segment}`;
}
