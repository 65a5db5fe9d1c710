import type { IncomingMessage } from "node:http";
import type { HttpRefusal } from "./http-refusal.js";
import type { Users } from "../users.js";

/** Name and password, as a client sent them. */
export interface HttpLogin {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the value of a header `Proxy-Authorization: Basic …` (RFC 7617).
 *
 * @returns `undefined` if it is none that can be read.
 */
export function parseBasicLogin(value: string | undefined): HttpLogin | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(value ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Writes the value of a header `Proxy-Authorization: Basic …`. */
export function formatBasicLogin({ username, password }: HttpLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** What came of a request's login. */
export interface LoginOutcome {
  /** As whom the client comes; nobody where nobody has to log in. */
  readonly user?: string;
  /** There where the login is missing or wrong. */
  readonly refusal?: HttpRefusal;
  /** Whether that is because of a name and a password that are wrong. To send none at first is how HTTP asks for the way. */
  readonly isWrong?: boolean;
}

/** Tells as whom a client comes. */
export function logIn({ headers }: IncomingMessage, users: Users): LoginOutcome {
  if (!users.areRequired) return {};
  const login = parseBasicLogin(headers["proxy-authorization"]);
  if (login !== undefined && users.authenticate(login.username, login.password)) {
    return { user: login.username };
  }
  const refusal: HttpRefusal = { status: 407, reason: "a username and its password are required" };
  return { refusal, isWrong: login !== undefined };
}
