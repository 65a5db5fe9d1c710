import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { formatEndpoint, type Endpoint } from "../../src/net/endpoint.js";
import { http2Frame, http2Preface } from "../helpers/raw-http.js";
import { encodeCallHeaders, type CallHeaders } from "./call-headers.js";
import { ackFlag, endHeadersFlag, endStreamFlag, FrameReader, frameTypes } from "./frame-reader.js";

/** A call, always the same. */
export interface Call {
  readonly path: string;
  /** The request, in protobuf and then base64. */
  readonly message: string;
}

/** Told how long an answer was; without a message, 0. */
type OnAnswer = (answerBytes: number) => void;

/** As many as the protocol has. */
const windowBytes = 2 ** 31 - 1;
const initialWindowBytes = 65_535;
/** SETTINGS_INITIAL_WINDOW_SIZE: nobody waits for us to read. */
const settings = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
const readBuffer = Buffer.alloc(1024 * 1024);

/**
 * A connection that makes the same call again and again, at a tenth of what an HTTP/2 client costs that can do more: it would
 * otherwise be what is measured. It writes the calls of a turn of the event loop together, as such clients do.
 */
export class GrpcCaller {
  readonly #socket: Socket;
  readonly #headers: CallHeaders;
  readonly #body: Buffer;
  readonly #onFailed: (error: Error) => void;
  readonly #running = new Map<number, { onAnswer: OnAnswer; answerBytes: number }>();
  #out: Buffer[] = [];
  #nextId = 1;
  #unreadBytes = 0;

  private constructor(to: Endpoint, { path, message }: Call, onFailed: (error: Error) => void) {
    const bytes = Buffer.from(message, "base64");
    const envelope = Buffer.alloc(5);
    envelope.writeUInt32BE(bytes.length, 1);
    this.#headers = encodeCallHeaders(formatEndpoint(to), path);
    this.#body = Buffer.concat([envelope, bytes]);
    this.#onFailed = onFailed;
    const reader = new FrameReader((...frame) => {
      this.#take(...frame);
    });
    this.#socket = connect({
      ...{ host: to.host, port: to.port, noDelay: true },
      onread: {
        buffer: readBuffer,
        callback: (count) => {
          reader.read(readBuffer.subarray(0, count));
          return true;
        },
      },
    });
    this.#socket.on("error", onFailed);
    this.#socket.on("close", () => {
      onFailed(new Error("the server closed the connection"));
    });
    this.#socket.write(
      Buffer.concat([
        Buffer.from(http2Preface),
        http2Frame(frameTypes.settings, 0, 0, settings),
        windowFrame(windowBytes - initialWindowBytes),
      ]),
    );
  }

  /** @param onFailed - Called when the connection ends, or a call fails, before {@link GrpcCaller.close} is. */
  static async open(to: Endpoint, call: Call, onFailed: (error: Error) => void): Promise<GrpcCaller> {
    const caller = new GrpcCaller(to, call, onFailed);
    await once(caller.#socket, "connect");
    return caller;
  }

  /** How many calls are not answered yet. */
  get runningCount(): number {
    return this.#running.size;
  }

  call(onAnswer: OnAnswer): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#running.set(id, { onAnswer, answerBytes: 0 });
    if (this.#out.length === 0)
      process.nextTick(() => {
        this.#flush();
      });
    this.#out.push(
      http2Frame(frameTypes.headers, endHeadersFlag, id, id === 1 ? this.#headers.first : this.#headers.next),
      http2Frame(frameTypes.data, endStreamFlag, id, this.#body),
    );
  }

  close(): void {
    this.#socket.removeAllListeners("close").destroy();
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#out));
    this.#out = [];
  }

  #take(type: number, flags: number, id: number, length: number, payload: Buffer): void {
    switch (type) {
      case frameTypes.data:
        this.#giveWindow(length);
        this.#takeAnswer(id, length, false);
        break;
      case frameTypes.headers:
        this.#takeAnswer(id, 0, (flags & endStreamFlag) !== 0);
        break;
      case frameTypes.settings:
        if ((flags & ackFlag) === 0) this.#socket.write(http2Frame(type, ackFlag, 0, Buffer.alloc(0)));
        break;
      case frameTypes.ping:
        if ((flags & ackFlag) === 0) this.#socket.write(http2Frame(type, ackFlag, 0, payload));
        break;
      case frameTypes.reset:
      case frameTypes.goaway:
        this.#onFailed(new Error(`the server sent a frame ${type}: ${payload.toString("hex")}`));
    }
  }

  #takeAnswer(id: number, bytes: number, isOver: boolean): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.answerBytes += bytes;
    if (!isOver) return;
    this.#running.delete(id);
    // What fails has no message; its envelope alone would have five bytes.
    if (running.answerBytes === 0) this.#onFailed(new Error("a call was refused"));
    else running.onAnswer(running.answerBytes);
  }

  #giveWindow(bytes: number): void {
    this.#unreadBytes += bytes;
    if (this.#unreadBytes < windowBytes / 2) return;
    this.#socket.write(windowFrame(this.#unreadBytes));
    this.#unreadBytes = 0;
  }
}

function windowFrame(bytes: number): Buffer {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(bytes);
  return http2Frame(frameTypes.window, 0, 0, increment);
}
