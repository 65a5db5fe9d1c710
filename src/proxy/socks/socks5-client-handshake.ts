import type { Duplex } from "node:stream";
import { readParsed } from "../../net/byte-reader.js";
import { DialError, type DialErrorCode } from "../../net/dial-error.js";
import type { Endpoint } from "../../net/endpoint.js";
import {
  formatGreeting,
  formatLogin,
  parseLoginAnswer,
  parseMethodChoice,
  parseReply,
} from "./socks5-client.js";
import { socks5Methods, type Socks5Login } from "./socks5.js";

/**
 * Talks to a SOCKS5 server until it has done what the request asks for (RFC 1928, RFC 1929). What it sends behind its reply
 * is left to be read.
 *
 * States: greeting → (login, where we have one) → request. Each is written when the one before is answered; any of them
 * ends the conversation when its answer is wrong:
 *
 * | state    | answer                                           | DialError                |
 * |----------|--------------------------------------------------|--------------------------|
 * | greeting | 05 FF, or a method that was not offered          | failed                   |
 * | login    | 01, and not 00                                   | failed                   |
 * | request  | 05, and not 00                                   | as {@link outcomes} says |
 *
 * @param login - Default: none, and the server must not want one.
 * @returns where the server's end is bound: of a connection, or of an association's relay.
 * @throws DialError with the bare reason; ReadError if the server left, or speaks something else.
 */
export async function requestSocks5(server: Duplex, request: Buffer, login?: Socks5Login): Promise<Endpoint> {
  const offered = login === undefined ? socks5Methods.anonymous : socks5Methods.password;
  server.write(formatGreeting(offered));
  const chosen = await readParsed(server, parseMethodChoice);
  if (chosen === socks5Methods.none) throw new DialError("failed", `it refuses our login: ${wishOf(login)}`);
  if (chosen !== offered) throw new DialError("failed", `it chose method ${chosen}, which was not offered`);
  if (login !== undefined) await logIn(server, login);

  server.write(request);
  const outcome = await readParsed(server, parseReply);
  if (outcome.kind === "succeeded") return outcome.boundTo;
  const { code, meaning } = outcomes.get(outcome.reply) ?? { code: "failed", meaning: "unknown" };
  throw new DialError(code, `it replies ${outcome.reply} (${meaning})`);
}

/** What a server's replies mean to whoever wanted the connection, and what they are called (RFC 1928 §6). */
const outcomes: ReadonlyMap<number, { readonly code: DialErrorCode; readonly meaning: string }> = new Map([
  [1, { code: "failed", meaning: "general failure" }],
  [2, { code: "blocked", meaning: "not allowed by its rules" }],
  [3, { code: "network-unreachable", meaning: "network unreachable" }],
  [4, { code: "host-unreachable", meaning: "host unreachable" }],
  [5, { code: "refused", meaning: "connection refused" }],
  // What servers say whose own dial took too long: no other reply would do.
  [6, { code: "timeout", meaning: "TTL expired" }],
  [7, { code: "failed", meaning: "command not supported" }],
  [8, { code: "failed", meaning: "address type not supported" }],
]);

async function logIn(server: Duplex, login: Socks5Login): Promise<void> {
  server.write(formatLogin(login));
  const isRight = await readParsed(server, parseLoginAnswer);
  if (!isRight) throw new DialError("failed", "it refuses our login: wrong username or password");
}

/** What a server may mean that takes none of our methods, of which there is only one. */
function wishOf(login: Socks5Login | undefined): string {
  return login === undefined ? "it wants one, and there is none" : "it takes no username and password";
}
