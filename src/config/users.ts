import type { z } from "zod";
import { maxSocksCredentialBytes } from "../proxy/socks/socks5.js";
import { isTag, statNameSeparator } from "../stats/stat-name.js";
import { textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section } from "./section.js";

/** Who may use an inbound. */
export type UserConfig = z.output<typeof userSchema>;

const userSchema = section({
  // No longer than SOCKS5 has room for, and without ":", which ends the name in HTTP Basic (RFC 7617).
  username: textField(
    "The name to log in with, and in counters. Unique within an inbound; in two inbounds it is the same user.",
    `a user name of 1 to ${maxSocksCredentialBytes} bytes of UTF-8 without ":" and "${statNameSeparator}", not ending with ">"`,
    (name) => fitsCredential(name) && !name.includes(":") && isTag(name),
  ),
  password: textField(
    "The password to log in with.",
    `a password of 1 to ${maxSocksCredentialBytes} bytes of UTF-8`,
    fitsCredential,
  ),
}).describe("Who may use an inbound.");

/** The users of an inbound. None: everyone may use it, without a name. */
export const usersSchema = listOrOne(userSchema)
  .default([])
  .describe(
    "Who may use it. Without any, everybody may who reaches it, and nobody is counted as a user; so there have to be some where it listens beyond loopback, unless `insecure` is true.",
  );

function fitsCredential(text: string): boolean {
  return text !== "" && Buffer.byteLength(text) <= maxSocksCredentialBytes;
}
