import { request as httpRequest, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import { DialError, type DialErrorCode } from "../../net/dial-error.js";
import { errorCodeOf } from "../../net/system-error.js";
import { formatBasicLogin, type HttpLogin } from "./http-login.js";

/** What a proxy is asked for. */
export interface HttpTunnelOptions {
  /** The destination, as {@link formatConnectTarget} writes it. */
  readonly target: string;
  /** Default: none. */
  readonly login?: HttpLogin | undefined;
}

/** The largest head that a proxy may answer with, in bytes. */
const maxHeadBytes = 64 * 1024;
/** How many interim answers may come before the one that counts. */
const maxInterimCount = 8;

/**
 * Asks an HTTP proxy for a connection (CONNECT, RFC 9110 §9.3.6). What it sends behind its answer is left to be read: it is
 * the destination's, whatever the answer says of a body.
 *
 * States: asked → (interim answer)… → answered.
 *
 * @throws DialError with the bare reason.
 */
export async function openHttpTunnel(proxy: Duplex, { target, login }: HttpTunnelOptions): Promise<void> {
  const headers = {
    Host: target,
    ...(login !== undefined && { "Proxy-Authorization": formatBasicLogin(login) }),
  };
  let status = await statusOf(proxy, createRequest(proxy, target, headers).end());
  for (let count = 0; isInterim(status); count++) {
    if (count === maxInterimCount) throw new DialError("failed", `it answers ${status} again and again`);
    // To Node an interim answer to CONNECT is the answer. A request that is never sent listens for the next one.
    status = await statusOf(proxy, createRequest(proxy, target, {}));
  }
  if (status < 200 || status > 299) throw toDialError(status, login);
}

function createRequest(
  proxy: Duplex,
  target: string,
  headers: Readonly<Record<string, string>>,
): ClientRequest {
  const request = httpRequest({
    createConnection: () => proxy,
    method: "CONNECT",
    path: target,
    headers,
    insecureHTTPParser: false,
    maxHeaderSize: maxHeadBytes,
  });
  // The connection is neither kept nor closed behind the answer, and some proxies take `close` at its word.
  request.removeHeader("Connection");
  return request;
}

/** The status of the next answer. */
async function statusOf(proxy: Duplex, request: ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    request.once("connect", ({ statusCode = 0 }, _proxy, head) => {
      // It is in no buffer any more.
      if (head.length > 0) proxy.unshift(head);
      resolve(statusCode);
    });
    request.on("error", (cause) => {
      reject(new DialError("failed", reasonOf(cause), { cause }));
    });
    // A connection that is gone already would have nothing to say about it.
    if (proxy.destroyed) {
      request.destroy();
      reject(new DialError("failed", closedReason));
    }
  });
}

/** 101 is none: after it HTTP is over. */
function isInterim(status: number): boolean {
  return status >= 100 && status < 200 && status !== 101;
}

const closedReason = "connection closed before its answer";

function reasonOf(cause: Error): string {
  const code = errorCodeOf(cause);
  if (code === "HPE_HEADER_OVERFLOW") return `its answer has a head of more than ${maxHeadBytes} bytes`;
  if (code?.startsWith("HPE_") === true) return `it does not answer in HTTP: ${cause.message}`;
  return code === "ECONNRESET" ? closedReason : cause.message;
}

/** What a proxy's answers mean to whoever wanted the connection; all others are failures. */
const codes: ReadonlyMap<number, DialErrorCode> = new Map([
  [403, "blocked"],
  [504, "timeout"],
]);

function toDialError(status: number, login: HttpLogin | undefined): DialError {
  if (status !== 407) return new DialError(codes.get(status) ?? "failed", `it answers ${status}`);
  const wish = login === undefined ? "it wants one, and there is none" : "wrong username or password";
  return new DialError("failed", `it refuses our login (407): ${wish}`);
}
