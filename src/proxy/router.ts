import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { unwrapConnection } from "../net/counting-connection.js";
import { DialError } from "../net/dial-error.js";
import { formatEndpoint } from "../net/endpoint.js";
import { relay } from "../net/relay.js";
import type { ConnectionMetadata, ConnectionTracker } from "../track/connection-tracker.js";
import type { ProxyRequest } from "./inbound.js";
import type { Outbound, OutboundConnection } from "./outbound.js";

export interface RouterOptions {
  /** Where a connection leaves when no rule says otherwise. */
  readonly final: Outbound;
  readonly tracker: ConnectionTracker;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Takes each accepted connection to its end: chooses the outbound, has it tracked, dials, answers, and relays. */
export class Router {
  readonly #final: Outbound;
  readonly #tracker: ConnectionTracker;
  readonly #logger: Logger;

  constructor({ final, tracker, logger = silentLogger }: RouterOptions) {
    this.#final = final;
    this.#tracker = tracker;
    this.#logger = logger;
  }

  /** Resolves when the connection is over. It never rejects: what fails is told to the client, and logged. */
  async route(request: ProxyRequest): Promise<void> {
    const { client } = request;
    const outbound = this.#final;
    const metadata = toMetadata(request, outbound, "final");
    const facts = toFacts(metadata);
    this.#logger.info("connection", facts);
    try {
      // Before the dial: counters of a connection exist even if its destination refuses.
      const tracked = this.#tracker.routedConnection(client, metadata);
      const { connection: remote, boundTo } = await dialFor(client, outbound, request);
      request.accept(boundTo);
      const { connection, ...sinks } = unwrapConnection(tracked);
      await relay(connection, remote, sinks);
      this.#logger.debug("connection closed", facts);
    } catch (error) {
      if (error instanceof DialError) {
        this.#logger.debug(error.message, facts);
        if (error.code === "aborted") client.destroy();
        else request.reject(error);
        return;
      }
      this.#logger.error(error instanceof Error ? error.message : String(error), facts);
      client.destroy();
    }
  }
}

/** Dials as long as the client is there to want it. */
async function dialFor(
  client: Socket,
  outbound: Outbound,
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
