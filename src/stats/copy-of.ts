/** V8 cuts a string out of a longer one by pointing into it: a user's name would keep a login alive with its password. */
export function copyOf(text: string): string {
  return text.split("").join("");
}
