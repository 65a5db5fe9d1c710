import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request as Node's HTTP/1.1 and HTTP/2 servers hand it over. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Answers one request. It must not throw. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** The host that a request names: `:authority` or `Host`, in HTTP/2 and HTTP/1.1. */
export function authorityOf(request: NodeRequest): string | undefined {
  return "authority" in request ? request.authority : request.headers.host;
}

/** The path of a request, without its query. */
export function pathOf(request: NodeRequest): string {
  const [path = ""] = (request.url ?? "").split("?", 1);
  return path;
}
