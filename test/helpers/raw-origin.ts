import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { answerText, requestAt, type HttpMessage } from "./http-messages.js";
import { closeAfter, listen } from "./sockets.js";

/** What an origin does about a request: sends that text, or nothing by itself. */
export type OriginScript = (request: HttpMessage, connection: OriginConnection) => string | undefined;

/** A connection that an origin accepted, with every byte of it. */
export class OriginConnection {
  readonly socket: Socket;
  /** The requests that are complete, in order. */
  readonly requests: HttpMessage[] = [];
  #text = "";
  #requestsEnd = 0;
  #sentBytes = 0;

  /** @param onRequest - Told of each request when it is complete. */
  constructor(socket: Socket, onRequest: (request: HttpMessage) => void) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#text += text;
      for (let read = this.#readRequest(); read !== undefined; read = this.#readRequest()) onRequest(read);
    });
  }

  /** Everything received so far, one character a byte. */
  get text(): string {
    return this.#text;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** @param text - One character a byte. */
  send(text: string): void {
    this.#sentBytes += text.length;
    this.socket.write(text, "latin1");
  }

  /** Resolves when the text occurs in what was received. */
  async received(pattern: string): Promise<string> {
    while (!this.#text.includes(pattern)) await once(this.socket, "data");
    return this.#text;
  }

  /** Resolves with the request of that number, counted from 0, when it is complete. */
  async request(index: number): Promise<HttpMessage> {
    for (;;) {
      const request = this.requests[index];
      if (request !== undefined) return request;
      await once(this.socket, "data");
    }
  }

  #readRequest(): HttpMessage | undefined {
    const read = requestAt(this.#text, this.#requestsEnd);
    if (read === undefined) return undefined;
    this.#requestsEnd = read.end;
    this.requests.push(read.message);
    return read.message;
  }
}

/** A server of HTTP/1.1 without an HTTP library: the test says what it sends, and sees all that it gets. */
export class RawOrigin {
  readonly connections: OriginConnection[] = [];
  readonly endpoint: Endpoint;
  readonly #server;

  constructor(port: number, server: NodeJS.EventEmitter) {
    this.endpoint = { host: "127.0.0.1", port };
    this.#server = server;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `${this.endpoint.host}:${this.endpoint.port}`;
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://${this.host}`;
  }

  /** The requests of all connections, in the order of these. */
  get requests(): HttpMessage[] {
    return this.connections.flatMap(({ requests }) => requests);
  }

  /** What its connections received and sent. */
  get moved(): { readonly up: number; readonly down: number } {
    return {
      up: this.connections.reduce((sum, { text }) => sum + text.length, 0),
      down: this.connections.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
    };
  }

  /** The connection of that number, counted from 0, when it has come. */
  async connection(index: number): Promise<OriginConnection> {
    for (;;) {
      const connection = this.connections[index];
      if (connection !== undefined) return connection;
      await once(this.#server, "adopted");
    }
  }
}

/**
 * Starts an origin on 127.0.0.1; half-open capable, closed after the test with all its connections.
 *
 * @param script - Default: answers with method and target of the request; HEAD with nothing.
 */
export async function startRawOrigin(t: TestContext, script: OriginScript = echo): Promise<RawOrigin> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const { port } = await listen(t, server);
  const origin = new RawOrigin(port, server);
  server.on("connection", (socket) => {
    socket.on("error", ignore);
    closeAfter(t, socket);
    const connection = new OriginConnection(socket, (request) => {
      const answer = script(request, connection);
      if (answer !== undefined) connection.send(answer);
    });
    origin.connections.push(connection);
    // A client of the origin that has no more to ask: as every server does.
    socket.on("end", () => socket.end());
    server.emit("adopted");
  });
  return origin;
}

/** Sends nothing by itself. */
export const silent: OriginScript = () => undefined;

function echo({ startLine }: HttpMessage): string {
  return answerText(startLine.startsWith("HEAD") ? "" : startLine.replace(/ HTTP.*/, ""));
}

function ignore(): void {
  // The close that follows is what counts.
}
