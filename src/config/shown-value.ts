/**
 * Shows a wrong value in a message, as JSON, shortened to about 60 characters.
 *
 * Lists and objects are named, not shown: a password may be anywhere inside. For the same reason the user info of a URL
 * is blotted out.
 */
export function showValue(value: unknown): string {
  if (typeof value === "string") return shorten(withoutControls(JSON.stringify(withoutUserInfo(value))));
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  return showKind(value);
}

/** Says of what kind a value is and nothing of what it holds: for places where even a string may be a secret. */
export function showKind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Shows which values there are to choose from, as JSON: all of them up to 8, else the first 8 and how many more. */
export function showChoices(choices: readonly string[]): string {
  const shown = choices.slice(0, shownChoices).map(showValue).join(", ");
  const more = choices.length - shownChoices;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const shownCharacters = 60;
const shownChoices = 8;

function shorten(text: string): string {
  if (text.length <= shownCharacters) return text;
  // By code points, since half a surrogate pair prints as garbage.
  const kept = Array.from(text.slice(0, 2 * shownCharacters)).slice(0, shownCharacters - 2);
  return `${kept.join("")}…"`;
}

/** Blots out control characters: a terminal obeys them, and JSON escapes only some. */
export function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "·");
}

/** Blots out what stands before an `@` and may be a login: `https://token@host`, `name:password@host`. */
function withoutUserInfo(text: string): string {
  return text.replaceAll(/\S+/g, (word) => {
    const slashes = word.indexOf("//");
    const start = slashes < 0 ? 0 : slashes + 2;
    const info = word.slice(start, Math.max(start, word.lastIndexOf("@")));
    // An `@` may also stand in a path, or in a name.
    const isLogin = info.includes(":") || (start > 0 && info !== "" && !info.includes("/"));
    return isLogin ? `${word.slice(0, start)}…${word.slice(start + info.length)}` : word;
  });
}
