import { cors } from "@connectrpc/connect";
import { authorityOf, type NodeHandler, type NodeRequest, type NodeResponse } from "./node-http.js";
import { createOriginJudge, type OwnOriginOptions } from "./own-origin.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightMaxAge = 7_200;

export interface GuardOptions extends OwnOriginOptions {
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/**
 * Puts the guard in front of a handler: requests under a foreign Host or from a foreign Origin never reach it, pages of
 * allowed origins get the CORS headers they need, and their preflights are answered here.
 */
export function guard(
  handler: NodeHandler,
  { refusals = createRefusalTally(), ...options }: GuardOptions,
): NodeHandler {
  const judge = createOriginJudge(options);
  return (request, response) => {
    const verdict = judge({
      scheme: isEncrypted(request) ? "https" : "http",
      authority: authorityOf(request),
      origin: request.headers.origin,
    });
    switch (verdict.kind) {
      case "own":
        handler(request, response);
        return;
      case "allowed":
        allowOrigin(response, verdict.origin);
        if (isPreflight(request)) answerPreflight(request, response);
        else handler(request, response);
        return;
      case "foreign":
        refusals[verdict.what === "host" ? "foreign_host" : "foreign_origin"] += 1;
        refuse(request, response, "permissionDenied", verdict.reason);
        return;
      case "malformed":
        refusals.malformed_host += 1;
        refuse(request, response, "invalidArgument", verdict.reason);
        return;
    }
  };
}

function isEncrypted({ socket }: NodeRequest): boolean {
  return "encrypted" in socket && socket.encrypted;
}

function isPreflight({ method, headers }: NodeRequest): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

function allowOrigin(response: NodeResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", cors.exposedHeaders.join(", "));
  response.setHeader("vary", "Origin");
}

function answerPreflight(request: NodeRequest, response: NodeResponse): void {
  response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
  response.setHeader("access-control-allow-headers", cors.allowedHeaders.join(", "));
  response.setHeader("access-control-max-age", preflightMaxAge);
  // A public page that calls a private address needs this, too; whoever allowed its origin meant it.
  if (request.headers["access-control-request-private-network"] === "true") {
    response.setHeader("access-control-allow-private-network", "true");
  }
  // As in a refusal: an answer to a request that nobody reads can be lost.
  request.resume();
  response.statusCode = 204;
  response.end();
}
