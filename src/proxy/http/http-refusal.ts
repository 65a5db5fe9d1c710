import { STATUS_CODES } from "node:http";
import { errorCodeOf } from "../../net/system-error.js";
import type { Rejection } from "../rejection.js";

/** An answer of our own, in place of a connection or of an origin's answer. */
export interface HttpRefusal {
  readonly status: 400 | 403 | 407 | 408 | 431 | 501 | 502 | 504;
  /** One line for the person who reads it. */
  readonly reason: string;
}

/** A refusal's headers, alternately names and values, and its body. */
export interface HttpRefusalParts {
  readonly headers: readonly string[];
  readonly body: string;
}

/** What a refusal consists of, to be sent as the answer to one request of several. */
export function toRefusalParts({ status, reason }: HttpRefusal): HttpRefusalParts {
  const body = `${reason}\n`;
  return {
    headers: [
      ...(status === 407 ? ["Proxy-Authenticate", 'Basic realm="proxy", charset="UTF-8"'] : []),
      ...["Content-Type", "text/plain; charset=utf-8"],
      ...["Content-Length", String(Buffer.byteLength(body))],
    ],
    body,
  };
}

/** Writes a refusal as a whole HTTP answer that ends the connection. */
export function formatRefusal(refusal: HttpRefusal): string {
  const { headers, body } = toRefusalParts(refusal);
  const lines = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`];
  for (let index = 0; index < headers.length; index += 2) {
    lines.push(headers.slice(index, index + 2).join(": "));
  }
  return `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n${body}`;
}

/** What it means in HTTP that there is no connection, or no answer from an origin. */
export function toRefusal({ code, message }: Rejection): HttpRefusal {
  if (code === "blocked") return { status: 403, reason: message };
  return { status: code === "timeout" ? 504 : 502, reason: message };
}

/** What it means in HTTP that Node's server could not read a request: the same as Node's own answer. */
export function httpStatusOfClientError(error: Error): HttpRefusal["status"] {
  const code = errorCodeOf(error);
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}
