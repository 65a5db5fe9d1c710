/*
 * The process of the origin: it takes and gives the bytes that the head of each connection asks for, and sends every packet
 * back. It is a process of its own so that its work is nobody else's.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { loadHeadBytes, parseLoadHead } from "./load-protocol.js";
import { writeBytes } from "./write-bytes.js";

process.once("disconnect", () => process.exit());
const host = "127.0.0.1";
const server = createServer({ allowHalfOpen: true }, serve);
server.listen({ port: 0, host, backlog: 4_096 });
await once(server, "listening");
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const packets = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
packets.on("message", (payload, from) => {
  packets.send(payload, from.port, from.address);
});
packets.bind(port, host);
await once(packets, "listening");
process.send?.({ host, port });

function serve(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  let head = Buffer.alloc(0);
  let leftBytes = -1;
  let downBytes = 0;
  socket.on("data", (chunk: Buffer) => {
    let taken = chunk.length;
    if (leftBytes < 0) {
      head = Buffer.concat([head, chunk]);
      if (head.length < loadHeadBytes) return;
      const asked = parseLoadHead(head);
      downBytes = asked.downBytes;
      leftBytes = asked.upBytes;
      taken = head.length - loadHeadBytes;
    }
    leftBytes -= taken;
    if (leftBytes > 0) return;
    socket.removeAllListeners("data").resume();
    writeBytes(socket, downBytes, () => socket.end());
  });
  socket.on("end", () => {
    // Whoever leaves before the end is an idle tunnel that is released.
    if (leftBytes !== 0) socket.end();
  });
}
