import { createServer, type Socket } from "node:net";
import { BodyCheck, headEnd, HeadReader, type ShortExchange } from "./short-exchange.js";

/** The server that short connections lead to: it reads from the head of each which exchange it is, and plays its part. */
export class ShortOrigin {
  readonly server = createServer({ allowHalfOpen: true, noDelay: true });
  /** What went wrong here. */
  readonly failures: Error[] = [];
  readonly #exchanges = new Map<number, ShortExchange>();

  constructor() {
    this.server.on("connection", (socket) => {
      this.#serve(socket);
    });
  }

  /** Makes an exchange known, before its client connects. */
  expect(exchange: ShortExchange): void {
    this.#exchanges.set(exchange.id, exchange);
  }

  #serve(socket: Socket): void {
    const head = new HeadReader();
    let end: OriginEnd | undefined;
    socket.on("data", (piece: Buffer) => {
      try {
        if (end !== undefined) {
          end.take(piece);
          return;
        }
        const read = head.take(piece);
        if (read === undefined) return;
        end = this.#begin(socket, read.head);
        end.take(read.rest);
      } catch (error) {
        this.failures.push(error instanceof Error ? error : new Error(String(error)));
        socket.destroy();
      }
    });
    socket.on("end", () => {
      socket.end();
    });
  }

  #begin(socket: Socket, head: string): OriginEnd {
    const id = Number(/^\S+ \/(\d+)\b/.exec(head)?.[1]);
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) throw new Error(`no exchange begins so: ${JSON.stringify(head)}`);
    exchange.originReceivedBytes += head.length;
    return new OriginEnd(socket, exchange);
  }
}

class OriginEnd {
  readonly #socket: Socket;
  readonly #exchange: ShortExchange;
  readonly #body: BodyCheck;
  #isOver = false;

  constructor(socket: Socket, exchange: ShortExchange) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#body = new BodyCheck(exchange.up);
    socket.once("close", exchange.onOriginClosed);
  }

  take(piece: Buffer): void {
    const { plan } = this.#exchange;
    this.#exchange.originReceivedBytes += piece.length;
    this.#body.take(piece);
    if (this.#isOver) return;
    if (plan.fate === "origin cuts") {
      if (this.#body.bytes >= plan.cutAfterUpBytes) this.#cut();
    } else if (plan.way !== "plain" || plan.fate !== "whole" || this.#body.isComplete) {
      this.#answer();
    }
  }

  #answer(): void {
    this.#isOver = true;
    const { plan, down } = this.#exchange;
    this.#send(down);
    if (plan.endsFirst === "origin") this.#socket.end();
  }

  #cut(): void {
    this.#isOver = true;
    const { plan, down } = this.#exchange;
    this.#send(down.subarray(0, plan.cutAfterDownBytes));
    setImmediate(() => this.#socket.resetAndDestroy());
  }

  #send(body: Buffer): void {
    const { plan, down } = this.#exchange;
    const answer = plan.way === "plain" ? answerHead(down.length, plan.endsFirst === "origin") : "";
    this.#exchange.originSentBytes += answer.length + body.length;
    this.#socket.write(answer);
    this.#socket.write(body);
  }
}

function answerHead(length: number, isLast: boolean): string {
  const lines = ["HTTP/1.1 200 OK", `Content-Length: ${length}`, ...(isLast ? ["Connection: close"] : [])];
  return lines.join("\r\n") + headEnd;
}
