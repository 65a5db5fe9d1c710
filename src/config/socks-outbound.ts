import { z } from "zod";
import { maxSocksCredentialBytes } from "../proxy/socks/socks5.js";
import { connectTimeoutField } from "./connect-timeout.js";
import { textField, typeField } from "./fields.js";
import { networksField } from "./networks.js";
import { section } from "./section.js";
import { isWholeLogin, loginExpected, serverShape } from "./server-shape.js";
import { tagField } from "./tag.js";

export const socksOutboundSchema = section({
  type: typeField("socks"),
  tag: tagField(),
  ...serverShape,
  version: z
    .literal("5", {
      error: '"5" (SOCKS4 and SOCKS4a, "4" and "4a", are not spoken: they carry no password and no UDP)',
    })
    .default("5")
    .describe("The version of SOCKS. sing-box has others."),
  username: textField(
    "The name to log in with. Default: nobody logs in.",
    `a user name of 1 to ${maxSocksCredentialBytes} bytes of UTF-8`,
    (name) => name !== "" && Buffer.byteLength(name) <= maxSocksCredentialBytes,
  ).optional(),
  password: textField(
    "The password to log in with, beside a `username`. Default: an empty one.",
    `a password of at most ${maxSocksCredentialBytes} bytes of UTF-8`,
    (password) => Buffer.byteLength(password) <= maxSocksCredentialBytes,
  ).optional(),
  network: networksField(
    "What it carries, TCP connections or UDP packets. What else is led here is refused.",
  ),
  connect_timeout: connectTimeoutField("look-up, connecting to the proxy and its answers"),
})
  .refine(isWholeLogin, { error: loginExpected })
  .describe(
    "Leaves through a SOCKS5 proxy: CONNECT for TCP, UDP ASSOCIATE for UDP. Names of destinations are resolved there, not here.",
  );
