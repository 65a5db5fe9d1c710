/** A header as it was written, without the blanks around its value. */
export type HeaderField = readonly [name: string, value: string];

/** A whole request of HTTP/1.x. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
  /** Without its framing. */
  readonly body: string;
}

/** What stands in a stream of requests. */
export interface ReadRequests {
  readonly requests: readonly ReadRequest[];
  /** What comes behind the last whole one: nothing, the beginning of one, or something that is none. */
  readonly rest: "nothing" | "unfinished" | "malformed" | "behind the last";
}

/**
 * Reads HTTP/1.x requests as RFC 9112 has them and not otherwise, independently of Node's parser: with CR LF, one length
 * or one coding, and no blanks where none belong. It stops at the first request that it cannot read, and behind one that
 * is the last by its own word. Two liberties that it allows mean nothing: line ends before a request (§2.2), and more
 * than one blank between the words of a request line (§3).
 */
export function readRequests(text: string): ReadRequests {
  const requests: ReadRequest[] = [];
  for (let rest = text; ;) {
    rest = rest.replace(/^[\r\n]+/, "");
    if (rest === "") return { requests, rest: "nothing" };
    const read = readRequest(rest);
    if (typeof read === "string") return { requests, rest: read };
    requests.push(read.request);
    if (read.isLast) return { requests, rest: "behind the last" };
    rest = rest.slice(read.length);
  }
}

/** The values of a header, in order. */
export function valuesOf(headers: readonly HeaderField[], wanted: string): readonly string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

type Unreadable = "unfinished" | "malformed";

interface Read {
  readonly request: ReadRequest;
  readonly length: number;
  readonly isLast: boolean;
}

const token = String.raw`[!#$%&'*+.^_\`|~\w-]+`;
const requestLine = new RegExp(String.raw`^(${token}) +([\x21-\x7e\x80-\xff]+) +HTTP/1\.([01])$`);
const headerLine = new RegExp(String.raw`^(${token}):[ \t]*([\t\x20-\x7e\x80-\xff]*)$`);
const chunkLine = new RegExp(String.raw`^([\da-f]{1,8})[ \t]*(;[\t\x20-\x7e\x80-\xff]*)?\r\n`, "i");

function readRequest(text: string): Read | Unreadable {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return "unfinished";
  const [firstLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const [, method = "", target = "", minor] = requestLine.exec(firstLine) ?? [];
  const headers = readHeaders(lines);
  if (method === "" || headers === undefined) return "malformed";
  const body = readBody(text.slice(headEnd + 4), headers, minor === "0");
  if (typeof body === "string") return body;
  const connection = valuesOf(headers, "connection").join(",").toLowerCase();
  const isLast =
    minor === "0" ? !connection.includes("keep-alive") : /(^|,)\s*close\s*(,|$)/.test(connection);
  const request = { method, target, headers, body: body.content };
  return { request, length: headEnd + 4 + body.length, isLast };
}

function readHeaders(lines: readonly string[]): readonly HeaderField[] | undefined {
  const headers: HeaderField[] = [];
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.push([name, value.trimEnd()]);
  }
  return headers;
}

interface Body {
  readonly content: string;
  readonly length: number;
}

function readBody(text: string, headers: readonly HeaderField[], isOld: boolean): Body | Unreadable {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length + codings.length === 0) return { content: "", length: 0 };
  if (lengths.length + codings.length > 1) return "malformed";
  const [coding] = codings;
  if (coding !== undefined) {
    return !isOld && coding.toLowerCase() === "chunked" ? readChunks(text) : "malformed";
  }
  const [digits = ""] = lengths;
  if (!/^\d{1,15}$/.test(digits)) return "malformed";
  const length = Number(digits);
  return text.length < length ? "unfinished" : { content: text.slice(0, length), length };
}

function readChunks(text: string): Body | Unreadable {
  let content = "";
  for (let start = 0; ;) {
    const rest = text.slice(start);
    const [line, digits = ""] = chunkLine.exec(rest) ?? [];
    if (line === undefined) return rest.includes("\r\n") ? "malformed" : "unfinished";
    const size = Number.parseInt(digits, 16);
    if (size === 0) return readTrailers(content, text, start + line.length);
    const dataEnd = line.length + size;
    if (rest.length < dataEnd + 2) return "unfinished";
    if (!rest.startsWith("\r\n", dataEnd)) return "malformed";
    content += rest.slice(line.length, dataEnd);
    start += dataEnd + 2;
  }
}

function readTrailers(content: string, text: string, start: number): Body | Unreadable {
  if (text.startsWith("\r\n", start)) return { content, length: start + 2 };
  const end = text.indexOf("\r\n\r\n", start);
  if (end < 0) return "unfinished";
  const isWellFormed = readHeaders(text.slice(start, end).split("\r\n")) !== undefined;
  return isWellFormed ? { content, length: end + 4 } : "malformed";
}
