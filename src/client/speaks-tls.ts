import { connect } from "node:tls";
import type { Endpoint } from "../net/endpoint.js";

/**
 * Whether a server completes a TLS handshake: what to ask one that does not speak HTTP/2 in cleartext. Whose certificate it
 * has does not matter, and nothing is sent to it.
 *
 * @param timeoutMs - After which the answer is no.
 */
export async function speaksTls({ host, port }: Endpoint, timeoutMs: number): Promise<boolean> {
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("secureConnect", () => {
        resolve(true);
      });
      socket.on("error", () => undefined);
      socket.once("close", () => {
        resolve(false);
      });
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
