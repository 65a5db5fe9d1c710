/*
 * The counters that every server has where the API is measured. They are outbounds' since those of V2Ray come into being with
 * its config, while a user would have to come and log in for each.
 */

/** What the tag of the outbound with that index is, of which each has two counters. */
export function tagOf(index: number): string {
  return `u${String(index).padStart(6, "0")}`;
}

/** The names of the counters of a tag. */
export function counterNamesOf(tag: string): readonly [uplink: string, downlink: string] {
  return [`outbound>>>${tag}>>>traffic>>>uplink`, `outbound>>>${tag}>>>traffic>>>downlink`];
}

/** What a counter has counted, where one can say so: enough to need bytes of its own in an answer. */
export function valueOf(index: number): number {
  return index * 1_000 + 1;
}

/** Match one in a hundred of the counters: a substring, an expression, and one with groups, of which less is seen at a glance. */
export const hundredth = {
  substring: "99>>>",
  regexp: "u[0-9]+99>>>",
  group: "u[0-9]+(99>>>traffic>>>(up|down)link)$",
} as const;

/** A tag with which the names of the counters have 44 characters, on average. */
export function longTagOf(index: number): string {
  return `user${String(index).padStart(7, "0")}@b`;
}
