import type { Duplex } from "node:stream";
import { silentLogger, type Logger } from "../log/logger.js";
import { unwrapConnection } from "../net/counting-connection.js";
import { DialError } from "../net/dial-error.js";
import { formatEndpoint } from "../net/endpoint.js";
import { relay } from "../net/relay.js";
import type { ConnectionMetadata, ConnectionTracker } from "../track/connection-tracker.js";
import type { ProxyRequest } from "./inbound.js";
import type { DialingOutbound, Outbound, OutboundConnection } from "./outbound.js";
import type { Rule } from "./rule.js";

export interface RouterOptions {
  /** The first one that matches decides. Default: none. */
  readonly rules?: readonly Rule[];
  /** Where a connection leaves when no rule says otherwise. */
  readonly final: Outbound;
  readonly tracker: ConnectionTracker;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Takes each accepted connection to its end: chooses the outbound, has it tracked, dials, answers, and relays. */
export class Router {
  readonly #rules: readonly Rule[];
  readonly #final: Outbound;
  readonly #tracker: ConnectionTracker;
  readonly #logger: Logger;

  constructor({ rules = [], final, tracker, logger = silentLogger }: RouterOptions) {
    this.#rules = rules;
    this.#final = final;
    this.#tracker = tracker;
    this.#logger = logger;
  }

  /** Resolves when the connection is over. It never rejects: what fails is told to the client, and logged. */
  async route(request: ProxyRequest): Promise<void> {
    const { outbound, rule } = this.#choose(request);
    const metadata = toMetadata(request, outbound, rule);
    const facts = toFacts(metadata);
    if (outbound.blocks) {
      this.#logger.info("connection blocked", facts);
      request.reject({ code: "blocked", message: "blocked by the proxy's rules" });
      return;
    }
    this.#logger.info("connection", facts);
    try {
      await this.#connect(request, outbound, metadata);
      this.#logger.debug("connection closed", facts);
    } catch (error) {
      if (error instanceof DialError) {
        this.#logger.debug(error.message, facts);
        if (error.code === "aborted") request.client.destroy();
        else request.reject(error);
        return;
      }
      this.#logger.error(error instanceof Error ? error.message : String(error), facts);
      request.client.destroy();
    }
  }

  /** @returns the outbound, and what chose it in words for a log line. */
  #choose(request: ProxyRequest): { readonly outbound: Outbound; readonly rule: string } {
    const index = this.#rules.findIndex((rule) => rule.matches(request));
    const chosen = this.#rules[index];
    if (chosen === undefined) return { outbound: this.#final, rule: "final" };
    return { outbound: chosen.outbound, rule: `rules[${index}]` };
  }

  async #connect(
    request: ProxyRequest,
    outbound: DialingOutbound,
    metadata: ConnectionMetadata,
  ): Promise<void> {
    const { client } = request;
    // Before the dial: counters of a connection exist even if its destination refuses.
    const tracked = this.#tracker.routedConnection(client, metadata);
    const { connection: remote, boundTo } = await dialFor(client, outbound, request);
    request.accept(boundTo);
    const { connection, ...sinks } = unwrapConnection(tracked);
    await relay(connection, remote, sinks);
  }
}

/** Dials as long as the client is there to want it. */
async function dialFor(
  client: Duplex,
  outbound: DialingOutbound,
  request: ProxyRequest,
): Promise<OutboundConnection> {
  const gone = new AbortController();
  const onClose = (): void => {
    gone.abort();
  };
  client.once("close", onClose);
  if (client.destroyed) onClose();
  // Nobody reads from the client now, and a socket that is not read does not notice a reset. What arrives stays in its
  // buffer, which is bounded.
  client.read(0);
  try {
    return await outbound.dial(request.destination, { signal: gone.signal });
  } finally {
    client.off("close", onClose);
  }
}

function toMetadata(
  { inbound, user, source, destination }: ProxyRequest,
  outbound: Outbound,
  rule: string,
): ConnectionMetadata {
  return { inbound, outbound: outbound.tag, user, network: "tcp", source, destination, rule };
}

function toFacts({ source, destination, ...rest }: ConnectionMetadata): Record<string, string | undefined> {
  return { ...rest, source: formatEndpoint(source), destination: formatEndpoint(destination) };
}
