import { isIP } from "node:net";
import { connect } from "node:tls";
import type { Endpoint } from "../net/endpoint.js";

/**
 * Whether a server speaks TLS: what to ask one that does not speak HTTP/2 in cleartext. One that refuses the handshake does,
 * too: it may want a certificate of ours, or another name, and says so in a word of TLS. Whose certificate it has does not
 * matter, and nothing is sent to it.
 *
 * @param timeoutMs - After which the answer is no.
 */
export async function speaksTls({ host, port }: Endpoint, timeoutMs: number): Promise<boolean> {
  // Many a server has a certificate for the right name only. An address is no name (RFC 6066 section 3).
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port, rejectUnauthorized: false, ...named });
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("secureConnect", () => {
        resolve(true);
      });
      socket.on("error", (error: Error) => {
        if (isAlert(error)) resolve(true);
      });
      socket.once("close", () => {
        resolve(false);
      });
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** What OpenSSL says of an alert that has come, in every version; the codes of these errors have other names from one to the next. */
function isAlert({ message }: Error): boolean {
  return /SSL alert number \d+/.test(message);
}
