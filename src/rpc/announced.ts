import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** Under TLS, HTTP/2 is only what ALPN has said is to be spoken (RFC 9113 §3.2); Node would answer nothing else in it. */
export function assertAnnounced(socket: Socket): void {
  if (socket instanceof TLSSocket && socket.alpnProtocol !== "h2") {
    throw new Error("HTTP/2 that was not negotiated by ALPN");
  }
}
