import { connectTimeoutField } from "./connect-timeout.js";
import { textField, typeField } from "./fields.js";
import { outboundTlsSchema } from "./outbound-tls.js";
import { section } from "./section.js";
import { isWholeLogin, loginExpected, serverShape } from "./server-shape.js";
import { tagField } from "./tag.js";

export const httpOutboundSchema = section({
  type: typeField("http"),
  tag: tagField(),
  ...serverShape,
  // RFC 7617 §2
  username: textField(
    "The name to log in with, by Basic authentication. Default: nobody logs in.",
    'a user name that is not empty, without ":" and control characters',
    (name) => name !== "" && !name.includes(":") && !hasControls(name),
  ).optional(),
  password: textField(
    "The password to log in with, beside a `username`. Default: an empty one.",
    "a password without control characters",
    (password) => !hasControls(password),
  ).optional(),
  tls: outboundTlsSchema,
  connect_timeout: connectTimeoutField("look-up, connecting to the proxy and its answers"),
})
  .refine(isWholeLogin, { error: loginExpected })
  .describe(
    "Leaves through an HTTP proxy, by CONNECT, which carries TCP only. Names of destinations are resolved there, not here.",
  );

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
