import { once } from "node:events";
import type { RawConnection } from "./raw-http.js";
import { closed } from "./timing.js";

/** An HTTP/1.x message as it was on the wire, one character a byte. */
export interface HttpMessage {
  readonly startLine: string;
  /** Header lines, as they came, in order. */
  readonly headers: readonly string[];
  /** Without its framing. */
  readonly body: string;
  /** The sizes of its chunks, the last of which is 0, where it is chunked. */
  readonly chunkSizes: readonly number[];
  /** Header lines behind a chunked body. */
  readonly trailers: readonly string[];
}

/** The head of a request to a proxy, with the URL's host in `Host`. */
export function requestHead(method: string, url: string, ...headers: readonly string[]): string {
  const host = /^http:\/\/([^/?]*)/.exec(url)?.[1] ?? "";
  return [`${method} ${url} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n");
}

/** A whole answer, with its length. */
export function answerText(body: string, ...headers: readonly string[]): string {
  return ["HTTP/1.1 200 OK", ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

/** A body in chunks, with its end. */
export function chunked(...pieces: readonly string[]): string {
  return [...pieces, ""].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");
}

/** The messages that are complete in the text, in order: requests, or answers to requests of these methods. */
export function messagesIn(text: string, methods: readonly string[] = []): HttpMessage[] {
  const messages: HttpMessage[] = [];
  let answered = 0;
  for (let start = 0; ;) {
    const read = readMessage(text, start, methods[answered]);
    if (read === undefined) return messages;
    messages.push(read.message);
    start = read.end;
    if (!/^HTTP\/\S+ 1/.test(read.message.startLine)) answered++;
  }
}

/** The request that begins there, and where the next one does; `undefined` if it is not complete yet. */
export function requestAt(
  text: string,
  start: number,
): { readonly message: HttpMessage; readonly end: number } | undefined {
  return readMessage(text, start, undefined);
}

/** The status of an answer. */
export function statusOf({ startLine }: HttpMessage): number {
  return Number(startLine.split(" ", 2)[1]);
}

/** The values of a header, in order. */
export function valuesOf({ headers }: HttpMessage, name: string): string[] {
  const prefix = `${name.toLowerCase()}:`;
  return headers
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim());
}

/**
 * The first answers on a connection, when that many have come.
 *
 * @param methods - Of the requests, where one of them is HEAD.
 */
export async function readAnswers(
  connection: RawConnection,
  count: number,
  methods: readonly string[] = [],
): Promise<HttpMessage[]> {
  for (;;) {
    const answers = messagesIn(connection.text, methods);
    if (answers.length >= count) return answers;
    if (connection.socket.closed) {
      throw new Error(`closed after ${answers.length} of ${count} answers: ${connection.text.slice(-500)}`);
    }
    await Promise.race([once(connection.socket, "data"), closed(connection.socket)]);
  }
}

function readMessage(
  text: string,
  start: number,
  method: string | undefined,
): { readonly message: HttpMessage; readonly end: number } | undefined {
  const headEnd = text.indexOf("\r\n\r\n", start);
  if (headEnd < 0) return undefined;
  const [startLine = "", ...headers] = text.slice(start, headEnd).split("\r\n");
  const bodyStart = headEnd + 4;
  const bare = { startLine, headers, body: "", chunkSizes: [], trailers: [] };
  const bodiless = method === "HEAD" || /^HTTP\/\S+ (1\d\d|204|304) /.test(`${startLine} `);
  if (bodiless) return { message: bare, end: bodyStart };
  if (valuesOf(bare, "transfer-encoding").length > 0) {
    const read = readChunks(text, bodyStart);
    return read && { message: { ...bare, ...read.content }, end: read.end };
  }
  const end = bodyStart + Number(valuesOf(bare, "content-length")[0] ?? 0);
  return end > text.length ? undefined : { message: { ...bare, body: text.slice(bodyStart, end) }, end };
}

interface ChunkedContent {
  readonly content: Pick<HttpMessage, "body" | "chunkSizes" | "trailers">;
  readonly end: number;
}

function readChunks(text: string, bodyStart: number): ChunkedContent | undefined {
  const pieces: string[] = [];
  const chunkSizes: number[] = [];
  for (let start = bodyStart; ;) {
    const lineEnd = text.indexOf("\r\n", start);
    if (lineEnd < 0) return undefined;
    const line = text.slice(start, lineEnd);
    if (!/^[\da-f]+$/i.test(line)) throw new Error(`chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    chunkSizes.push(size);
    const dataEnd = lineEnd + 2 + size;
    if (size === 0) {
      const end = text.startsWith("\r\n", dataEnd) ? dataEnd : text.indexOf("\r\n\r\n", dataEnd) + 2;
      if (end < dataEnd || text.length < end + 2) return undefined;
      const trailers = end === dataEnd ? [] : text.slice(dataEnd, end - 2).split("\r\n");
      return { content: { body: pieces.join(""), chunkSizes, trailers }, end: end + 2 };
    }
    if (text.length < dataEnd + 2) return undefined;
    if (!text.startsWith("\r\n", dataEnd)) throw new Error(`no CRLF behind a chunk of ${size} bytes`);
    pieces.push(text.slice(lineEnd + 2, dataEnd));
    start = dataEnd + 2;
  }
}
