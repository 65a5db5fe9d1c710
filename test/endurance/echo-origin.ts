import { createServer } from "node:net";

/** What a client sends to have the origin end its side, or cut the connection. */
export const endWord = Buffer.from("end of it\n");
export const cutWord = Buffer.from("cut it\n");

/**
 * A server that sends back what comes, piece by piece, and ends or cuts the connection when it is told to. Whoever uses it
 * waits for each answer before it goes on, so that a word is a piece of its own.
 */
export class EchoOrigin {
  readonly server = createServer({ allowHalfOpen: true, noDelay: true });

  constructor() {
    this.server.on("connection", (socket) => {
      socket.on("data", (piece: Buffer) => {
        if (piece.equals(endWord)) socket.end();
        else if (piece.equals(cutWord)) socket.resetAndDestroy();
        else socket.write(piece);
      });
      socket.on("end", () => {
        socket.end();
      });
    });
  }
}
