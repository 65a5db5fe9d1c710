import { assertTag, statNameSeparator } from "./stat-name.js";

const onlineSegment = "online";

/**
 * Writes the name under which clients ask whether a user is online, as Xray spells it: `user>>>alice>>>online`.
 *
 * @throws RangeError if the user's name contains `>>>` or ends with `>`.
 */
export function formatOnlineName(user: string): string {
  assertTag(user);
  return joinOnlineName(user);
}

/** The same for any text: to ask another server, whose users may have names that ours have not. */
export function joinOnlineName(user: string): string {
  return ["user", user, onlineSegment].join(statNameSeparator);
}

/** Whose name it is; `undefined` for anything that {@link formatOnlineName} would not write. */
export function parseOnlineName(name: string): string | undefined {
  const [scope, user, kind, ...rest] = name.split(statNameSeparator);
  return scope === "user" && kind === onlineSegment && rest.length === 0 ? user : undefined;
}
