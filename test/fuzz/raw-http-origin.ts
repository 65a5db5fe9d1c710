import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { listen } from "../helpers/sockets.js";
import { readRequests, type ReadRequest } from "./strict-http.js";

/** What came over one connection. */
interface Received {
  text: string;
  answeredCount: number;
}

/**
 * An HTTP origin that has no HTTP server in it: it keeps every byte, reads them with the strict reader, and answers what
 * is a whole request with its target.
 *
 * How it answers is in the target: under `/chunked` in chunks, under `/close` until the end of the connection, and
 * otherwise with a length.
 */
export class RawHttpOrigin {
  readonly #received: Received[] = [];

  /** Starts one; it is closed after the test. */
  async start(t: TestContext): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#serve(socket);
    });
    return (await listen(t, server)).port;
  }

  /** All that came since the last call, a text for each connection. */
  take(): readonly string[] {
    return this.#received.splice(0).map(({ text }) => text);
  }

  #serve(socket: Socket): void {
    const received: Received = { text: "", answeredCount: 0 };
    this.#received.push(received);
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.end());
    socket.on("data", (bytes: Buffer) => {
      received.text += bytes.toString("latin1");
      const { requests } = readRequests(received.text);
      for (const request of requests.slice(received.answeredCount)) answer(socket, request);
      received.answeredCount = requests.length;
    });
  }
}

function answer(socket: Socket, { method, target }: ReadRequest): void {
  const body = `answer to ${target}`;
  const hasBody = method !== "HEAD";
  if (target.startsWith("/close")) {
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${hasBody ? body : ""}`);
  } else if (target.startsWith("/chunked")) {
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${hasBody ? chunks : ""}`);
  } else {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${hasBody ? body : ""}`);
  }
}
