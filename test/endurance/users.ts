import type { User } from "../../src/proxy/users.js";

/** Who uses the proxy of a run: a user for each kind of connection that is counted by rules of its own. */
export const users = {
  /** Whose connections come to their end: what is counted for it is exactly what passed. */
  whole: userNamed("whole"),
  /** Whose plain HTTP requests are counted between proxy and origin. */
  plain: userNamed("plain"),
  /** Whose connections are cut by one end or the other. */
  cut: userNamed("cut"),
  /** Who never gets a connection, for one reason or another. */
  barred: userNamed("barred"),
  /** Who looks now and then whether the proxy still serves others. */
  other: userNamed("other"),
} as const;

function userNamed(username: string): User {
  return { username, password: `${username}-password` };
}
