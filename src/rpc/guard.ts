import { cors } from "@connectrpc/connect";
import type { Socket } from "node:net";
import { clientNetworkOf } from "../net/client-network.js";
import { FailureBrake } from "../net/failure-brake.js";
import { anybody, type Caller } from "./caller.js";
import { cutGuess } from "./guess-cut.js";
import { healthPath } from "./health.js";
import {
  authorityOf,
  carrierOf,
  pathOf,
  type NodeHandler,
  type NodeRequest,
  type NodeResponse,
} from "./node-http.js";
import { createOriginJudge, type OwnOriginOptions } from "./own-origin.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";
import { createCallerJudge, type ApiSecret } from "./secrets.js";
import { TrustedConnections } from "./trusted-connections.js";

export interface GuardOptions extends OwnOriginOptions {
  /** With which one may call. Default: none, and everybody may. */
  readonly secrets?: readonly ApiSecret[] | undefined;
  /** Whether TLS lets nobody in without a verified certificate: they may come under any Host, too. Default: false. */
  readonly isMutual?: boolean;
  /** Slows the answers to those who have no right secret. Default: one of its own. */
  readonly brake?: Pick<FailureBrake, "schedule">;
  /**
   * Told by which connections a right secret has come, and asked where guesses are too many: whoever guards streams of the same
   * connections hands both the same. Default: one of its own.
   */
  readonly trusted?: TrustedConnections;
  /** Aborts when the server stops, which no late answer shall hold up: those that wait are given at once. Default: never. */
  readonly stopping?: AbortSignal;
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** Answers one request of somebody whom the guard let pass. It must not throw. Without a caller it is anybody. */
export type GuardedHandler = (request: NodeRequest, response: NodeResponse, caller?: Caller) => void;

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightMaxAge = 7_200;

/**
 * Puts the guard in front of a handler, for every path: requests under a foreign Host, from a foreign Origin or without a
 * secret never reach it, pages of allowed origins get the CORS headers they need, and their preflights are answered here.
 *
 * Where there are secrets, everything asks for one, but for gRPC's health service; preflights cannot have one. It also
 * stands in for an own Host: a page that has its name lead here does not know it.
 */
export function guard(handler: GuardedHandler, options: GuardOptions): NodeHandler {
  const {
    secrets = [],
    brake = new FailureBrake(),
    trusted = new TrustedConnections(),
    stopping,
    refusals = createRefusalTally(),
    isMutual = false,
  } = options;
  const judgeOrigin = createOriginJudge(options);
  const hasSecrets = secrets.length > 0;
  const judgeCaller = hasSecrets ? createCallerJudge(secrets) : () => anybody;
  /** The source of those on a Unix socket, and of those who are gone from a port. */
  const noAddress = options.listenHost === undefined ? "unix" : "closed";

  return (request, response) => {
    // On a Unix socket nobody else can be meant. In HTTP/2, whoever means nobody does not come this far.
    if (options.listenHost === undefined && request.headers.host === "") request.headers.host = "localhost";
    const caller = judgeCaller(request.headers.authorization);
    if (hasSecrets && caller !== undefined) trusted.trust(carrierOf(request));
    const isOpen = pathOf(request).startsWith(healthPath);
    const asksOnly = isPreflight(request);
    const source = (): string => sourceOf(request) ?? noAddress;
    const braked = { brake, trusted, stopping, refusals, source };
    // What is open to all is so to whoever guesses, but is no place to learn at once, again and again, that it was wrong.
    const isGuess = caller === undefined && request.headers.authorization !== undefined;
    const brakeGuess = (answer: () => void): void => {
      if (isGuess) brakeAnswer(request, response, answer, braked);
      else answer();
    };
    const admit = (): void => {
      if (caller !== undefined) handler(request, response, caller);
      else if (!isOpen) turnAway(request, response, braked);
      else {
        brakeGuess(() => {
          handler(request, response, { name: undefined, mayReset: false, strangerFrom: source() });
        });
      }
    };
    const verdict = judgeOrigin({
      scheme: isEncrypted(request) ? "https" : "http",
      authority: authorityOf(request),
      origin: request.headers.origin,
      isEmbedded: isEmbedded(request),
      mayNameAnyHost: isMutual || (hasSecrets && (caller !== undefined || !isOpen || asksOnly)),
    });
    switch (verdict.kind) {
      case "own":
        admit();
        return;
      case "allowed":
        allowOrigin(response, verdict.origin);
        if (asksOnly) answerPreflight(request, response, hasSecrets);
        else admit();
        return;
      case "foreign":
        brakeGuess(() => {
          refusals[verdict.what === "host" ? "foreign_host" : "foreign_origin"] += 1;
          refuse(request, response, "permissionDenied", verdict.reason);
        });
        return;
      case "malformed":
        refusals.malformed_host += 1;
        refuse(request, response, "invalidArgument", verdict.reason);
        return;
    }
  };
}

interface BrakeOptions extends Required<Pick<GuardOptions, "brake" | "trusted" | "refusals">> {
  readonly stopping: AbortSignal | undefined;
  /** Where it comes from. */
  readonly source: () => string;
}

/** Refuses somebody who has no right secret. */
function turnAway(request: NodeRequest, response: NodeResponse, options: BrakeOptions): void {
  const answer = (): void => {
    const isMissing = request.headers.authorization === undefined;
    const what = isMissing ? "a secret is needed" : "this is not a secret of this server";
    refuse(request, response, "unauthenticated", `${what}: send "authorization: Bearer SECRET"`);
  };
  if (brakeAnswer(request, response, answer, options)) options.refusals.no_secret += 1;
}

/**
 * Answers somebody who has no right secret: at once, late where that goes on, or without a word where too many wait.
 *
 * @returns whether there is an answer.
 */
function brakeAnswer(
  request: NodeRequest,
  response: NodeResponse,
  answer: () => void,
  { brake, trusted, stopping, refusals, source }: BrakeOptions,
): boolean {
  const callOff = brake.schedule(source(), answer, { hurry: stopping });
  if (callOff === undefined) {
    refusals.too_many_wrong_secrets += 1;
    cutGuess(request, response, trusted);
    return false;
  }
  response.once("close", callOff);
  return true;
}

function sourceOf(request: NodeRequest): string | undefined {
  const address = socketOf(request)?.remoteAddress;
  return address === undefined ? undefined : clientNetworkOf(address);
}

/** A session of HTTP/2 that is over has none any more. */
function socketOf(request: NodeRequest): Socket | undefined {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}

function isEncrypted(request: NodeRequest): boolean {
  const socket = socketOf(request);
  return socket !== undefined && "encrypted" in socket && socket.encrypted === true;
}

/**
 * Whether a browser says that a page of another origin loads this as a part of itself: an image, a script, a frame. Browsers say
 * so where nobody on the way could make it up, to loopback and under TLS (https://www.w3.org/TR/fetch-metadata/). A link that
 * somebody follows is no part of a page.
 */
function isEmbedded({ headers }: NodeRequest): boolean {
  const site = headers["sec-fetch-site"];
  const isFollowed = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return (site === "cross-site" || site === "same-site") && !isFollowed;
}

function isPreflight({ method, headers }: NodeRequest): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

function allowOrigin(response: NodeResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", cors.exposedHeaders.join(", "));
  response.setHeader("vary", "Origin");
}

/** @param withSecret - Whether pages have to send one: a wildcard would not allow that. */
function answerPreflight(request: NodeRequest, response: NodeResponse, withSecret: boolean): void {
  const allowedHeaders = withSecret ? [...cors.allowedHeaders, "Authorization"] : cors.allowedHeaders;
  response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
  response.setHeader("access-control-allow-headers", allowedHeaders.join(", "));
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
