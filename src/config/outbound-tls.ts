import { flagField, hostField, textField } from "./fields.js";
import { section } from "./section.js";

/** How the proxy that an outbound leaves through is spoken to. It may be missing as a whole. */
export const outboundTlsSchema = section({
  enabled: flagField("Whether TLS is spoken with the proxy.").default(false),
  server_name: hostField(
    "Whom the proxy's certificate has to be for. The proxy is told, unless it is an IP address. Default: `server`.",
  ).optional(),
  insecure: flagField("Whether any certificate will do: whoever is in the way can read everything.").default(
    false,
  ),
  certificate_path: textField(
    "A file of certificates, of authorities to trust in place of the usual ones. It is read at the start.",
    "the path of a file in PEM",
    (path) => path !== "",
  ).optional(),
})
  .prefault({})
  .describe("TLS with the proxy.");
