/*
 * The process of the origin: it takes and gives the bytes that the head of each connection asks for, and sends every packet
 * back. It is a process of its own so that its work is nobody else's.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createCallResponder } from "./call-responder.js";
import { echoBytes, loadHeadBytes, parseLoadHead, type OriginAddresses } from "./load-protocol.js";
import { writeBytes } from "./write-bytes.js";

process.once("disconnect", () => process.exit());
const host = "127.0.0.1";
const server = createServer({ allowHalfOpen: true }, serve);
const port = await listen(server);
const responderPort = await listen(createCallResponder());
const packets = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
packets.on("message", (payload, from) => {
  packets.send(payload, from.port, from.address);
});
packets.bind(port, host);
await once(packets, "listening");
const addresses: OriginAddresses = { origin: { host, port }, responder: { host, port: responderPort } };
process.send?.(addresses);

async function listen(listening: Server): Promise<number> {
  listening.listen({ port: 0, host, backlog: 4_096 });
  await once(listening, "listening");
  const address = listening.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

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
      if (downBytes === echoBytes) {
        socket.removeAllListeners("data").pipe(socket);
        socket.write(head.subarray(loadHeadBytes));
        return;
      }
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
