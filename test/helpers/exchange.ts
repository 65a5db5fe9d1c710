import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import type { TestContext } from "node:test";
import { chunked, messagesIn, readAnswers, type HttpMessage } from "./http-messages.js";
import { http1Text, openRaw, openSession, openStream, type HttpRequest } from "./raw-http.js";
import { closed } from "./timing.js";

/** A request, and what of it is sent before the answer is waited for. */
export interface Sent extends HttpRequest {
  readonly body: Uint8Array;
  /** Whether the caller waits for the answer without having said that this was all of the body. Default: false. */
  readonly isUnended?: boolean;
  /** Whether HTTP/1.1 has the body in chunks, without its length. Default: false. */
  readonly isChunked?: boolean;
}

/** All that a caller can see of an answer, but for its date. */
export interface Seen {
  readonly status: string;
  /** Sorted: their order means nothing (RFC 9110 §5.3), and neither does how long the chunks or frames of a body are. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** How it ended, and what became of the connection. */
  readonly ending: string;
}

/** Sends a request on a connection of its own. */
export type Exchange = (t: TestContext, port: number, sent: Sent) => Promise<Seen>;

/** Over HTTP/1.1. Whether the connection goes on is found out by asking once more, for something that is not served. */
export const exchangeHttp1: Exchange = async (
  t,
  port,
  { isUnended = false, isChunked = false, headers = {}, body, ...request },
) => {
  const bodyText = Buffer.from(body).toString("latin1");
  const [head = ""] = http1Text({
    ...request,
    headers: { "content-length": `${body.length + (isUnended ? 1 : 0)}`, ...headers },
  }).split("\r\n\r\n", 1);
  const raw = await openRaw(t, port);
  const text = isChunked
    ? `${head.replace(/^content-length: .*$/m, "transfer-encoding: chunked")}\r\n\r\n${chunked(bodyText)}`
    : `${head}\r\n\r\n${bodyText}`;
  raw.send(Buffer.from(text, "latin1"));
  const [answer] = await readAnswers(raw, 1);
  if (answer === undefined) throw new Error("no answer");
  let ending = "not asked for another";
  if (!isUnended) {
    raw.send(http1Text({ method: "GET", path: "/another", headers: { connection: "close" } }));
    await raw.closed();
    ending = messagesIn(raw.text)[1]?.startLine ?? "closed";
  }
  return { ...seenIn(answer), ending };
};

/** What is to be seen of an answer of HTTP/1.1. */
export function seenIn({ startLine, headers, body, trailers }: HttpMessage): Omit<Seen, "ending"> {
  return {
    status: startLine,
    headers: headers.filter((line) => !/^date: /i.test(line)).sort(),
    body: Buffer.from(body, "latin1").toString("base64"),
    trailers: trailers.toSorted(),
  };
}

/** Over HTTP/2. The code with which the stream closes is seen, and whether the connection lives on. */
export const exchangeHttp2: Exchange = async (t, port, { isUnended = false, ...request }) => {
  const session = openSession(t, port);
  const stream = openStream(session, request);
  const seen = see(stream);
  if (isUnended) stream.write(request.body);
  else stream.end(request.body);
  await closed(stream);
  const [pong] = (await Promise.race([
    new Promise((resolve) =>
      session.ping((error) => {
        resolve([error === null ? "goes on" : "fails"]);
      }),
    ),
    once(session, "close").then(() => ["closed"]),
  ])) as [string];
  return { ...seen(), ending: `stream ${stream.rstCode}, connection ${pong}` };
};

/** @returns what was seen so far. */
function see(stream: ClientHttp2Stream): () => Omit<Seen, "ending"> {
  let status = "none";
  let headers: string[] = [];
  let trailers = ["none"];
  const chunks: Buffer[] = [];
  stream.on("response", (received, flags) => {
    const isOneFrame = (flags & 1) !== 0;
    status = `${received[":status"] ?? "none"}${isOneFrame ? " and nothing else" : ""}`;
    headers = linesOf(received).filter((line) => !line.startsWith("date: "));
  });
  stream.on("trailers", (received: object) => (trailers = linesOf(received)));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => ({ status, headers, body: Buffer.concat(chunks).toString("base64"), trailers });
}

function linesOf(headers: object): string[] {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .sort();
}

/** Both, for tables. */
export const exchanges: readonly { readonly version: string; readonly exchange: Exchange }[] = [
  { version: "HTTP/1.1", exchange: exchangeHttp1 },
  { version: "HTTP/2", exchange: exchangeHttp2 },
];
