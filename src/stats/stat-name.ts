/** Whose bytes a counter counts: those of an inbound, of an outbound, or of a user. */
export type StatScope = "inbound" | "outbound" | "user";
/** Every {@link StatScope}. */
export const statScopes: readonly StatScope[] = ["inbound", "outbound", "user"];

/** `uplink` runs from the client towards the destination, `downlink` back; whoever measures. */
export type StatDirection = "uplink" | "downlink";
/** Each {@link StatDirection}. */
export const statDirections: readonly StatDirection[] = ["uplink", "downlink"];

/**
 * What a counter's name says, in parts.
 *
 * On the wire it is one string of exactly four segments, `inbound>>>TAG>>>traffic>>>uplink`. Clients of the field split
 * it and fail on any other number of segments, so a tag must not contain `>>>`. Nor may it end with `>`: they would split
 * before that and take it for the beginning of the third segment.
 */
export interface StatName {
  /** Whose bytes. */
  readonly scope: StatScope;
  /** The inbound's or outbound's tag, or the user's name. */
  readonly tag: string;
  /** Which way. */
  readonly direction: StatDirection;
}

/** What stands between the segments of a counter's name, and therefore in no tag and no user name. */
export const statNameSeparator = ">>>";

const trafficSegment = "traffic";
const afterTag = statNameSeparator + trafficSegment + statNameSeparator;

/**
 * Writes a counter's name as the V2Ray API spells it: `user>>>alice>>>traffic>>>uplink`.
 *
 * @throws RangeError if the tag contains `>>>` or ends with `>`.
 */
export function formatStatName({ scope, tag, direction }: StatName): string {
  assertTag(tag);
  // A query writes the names of all counters: joining a list of segments takes twice as long.
  return scope + statNameSeparator + tag + afterTag + direction;
}

/** Whether a tag or a user's name can be part of a counter's name: it neither contains `>>>` nor ends with `>`. */
export function isTag(tag: string): boolean {
  return !tag.includes(statNameSeparator) && !tag.endsWith(">");
}

/**
 * Checks that a tag or a user's name can be part of a counter's name.
 *
 * @throws RangeError if it contains `>>>` or ends with `>`.
 */
export function assertTag(tag: string): void {
  if (isTag(tag)) return;
  const fault = tag.includes(statNameSeparator) ? `contains "${statNameSeparator}"` : 'ends with ">"';
  throw new RangeError(
    `tag ${JSON.stringify(tag)} ${fault}: "${statNameSeparator}" separates the segments of a counter's name`,
  );
}

/** Reads a counter's name; `undefined` for anything that {@link formatStatName} would not write. */
export function parseStatName(name: string): StatName | undefined {
  const [scopeText, tag, kind, directionText, ...rest] = name.split(statNameSeparator);
  const scope = statScopes.find((known) => known === scopeText);
  const direction = statDirections.find((known) => known === directionText);
  if (scope === undefined || tag === undefined || direction === undefined) return undefined;
  if (kind !== trafficSegment || rest.length > 0) return undefined;
  return { scope, tag, direction };
}
