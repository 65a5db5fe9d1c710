import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { DialErrorCode } from "../net/dial-error.js";
import { parseEndpoint, type Endpoint } from "../net/endpoint.js";
import { errorCodeOf } from "../net/system-error.js";

/** An answer of our own, in place of a connection. */
export interface HttpRefusal {
  readonly status: 400 | 403 | 405 | 407 | 408 | 431 | 502 | 504;
  /** One line for the person who reads it. */
  readonly reason: string;
}

/** Name and password, as a client sent them. */
export interface HttpLogin {
  readonly username: string;
  readonly password: string;
}

/** What tells a client that its connection stands. */
export const connectionEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

/** Reads the target of a CONNECT request (RFC 9110 §9.3.6); `undefined` if it is no host and port. */
export function parseConnectTarget(target: string): Endpoint | undefined {
  const endpoint = parseEndpoint(target);
  return endpoint === undefined || endpoint.host === "" || endpoint.port === 0 ? undefined : endpoint;
}

/** Reads `Proxy-Authorization: Basic …` (RFC 7617); `undefined` if there is none that can be read. */
export function parseProxyAuthorization({ headers }: IncomingMessage): HttpLogin | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(headers["proxy-authorization"] ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Writes a refusal as a whole HTTP answer that ends the connection. */
export function formatRefusal({ status, reason }: HttpRefusal): string {
  const body = `${reason}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...extraHeaders(status),
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** What a failed dial means in HTTP. */
export function httpStatusOf(code: DialErrorCode): HttpRefusal["status"] {
  return code === "timeout" ? 504 : 502;
}

/** What it means in HTTP that Node's server could not read a request: the same as Node's own answer. */
export function httpStatusOfClientError(error: Error): HttpRefusal["status"] {
  const code = errorCodeOf(error);
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}

function extraHeaders(status: HttpRefusal["status"]): string[] {
  if (status === 407) return ['Proxy-Authenticate: Basic realm="proxy", charset="UTF-8"'];
  return status === 405 ? ["Allow: CONNECT"] : [];
}
