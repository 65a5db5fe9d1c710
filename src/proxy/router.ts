import type { Duplex } from "node:stream";
import { silentLogger, type Logger } from "../log/logger.js";
import { unwrapConnection } from "../net/counting-connection.js";
import { DialError } from "../net/dial-error.js";
import { relay } from "../net/relay.js";
import { RelayBuffers } from "../net/relay-buffers.js";
import { RelayTally } from "../net/relay-tally.js";
import { resetConnection } from "../net/reset.js";
import { WaitWatch } from "../net/wait-watch.js";
import { ConnectionTable } from "../track/connection-table.js";
import type { ConnectionMetadata, ConnectionTracker } from "../track/connection-tracker.js";
import { ConnectionRecord, recordBlocked, type ConnectionRecordOptions } from "./connection-record.js";
import { cutClient } from "./cut-client.js";
import type { ProxyRequest } from "./inbound.js";
import { carriesConnections, type DialingOutbound, type OutboundConnection } from "./outbound.js";
import { blockedHere, toRejection } from "./rejection.js";
import type { Routes } from "./routes.js";

export interface RouterOptions {
  readonly routes: Routes;
  readonly tracker: ConnectionTracker;
  /** Where each connection stands while it is open. Default: a table of its own. */
  readonly connections?: ConnectionTable;
  /** What busy connections are carried through. Default: buffers of its own. */
  readonly buffers?: RelayBuffers;
  /** Looks after connections of which one side does not read. Default: one of its own. */
  readonly waits?: WaitWatch;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Takes each accepted connection to its end: chooses the outbound, has it tracked, dials, answers, and relays. */
export class Router {
  readonly #routes: Routes;
  readonly #tracker: ConnectionTracker;
  readonly #records: ConnectionRecordOptions;
  readonly #buffers: RelayBuffers;
  readonly #waits: WaitWatch;

  constructor({
    routes,
    tracker,
    connections = new ConnectionTable(),
    buffers = new RelayBuffers(),
    waits = new WaitWatch(),
    logger = silentLogger,
  }: RouterOptions) {
    this.#routes = routes;
    this.#tracker = tracker;
    this.#records = { connections, logger };
    this.#buffers = buffers;
    this.#waits = waits;
  }

  /** Resolves when the connection is over. It never rejects: what fails is told to the client, and logged. */
  async route(request: ProxyRequest): Promise<void> {
    const { inbound, user, source, destination } = request;
    const network = "tcp";
    const { outbound, rule } = this.#routes.choose({ inbound, user, network, source, destination });
    // Written out, here and wherever a connection has objects made: one that is spread and then added to costs V8 a shape of
    // its own each time, two microseconds and 250 bytes.
    const metadata: ConnectionMetadata = {
      inbound,
      user,
      network,
      source,
      destination,
      outbound: outbound.tag,
      rule,
    };
    if (!carriesConnections(outbound)) {
      recordBlocked(metadata, this.#records);
      request.reject(blockedHere);
      return;
    }
    const remotes: Duplex[] = [];
    const tally = new RelayTally();
    const closeRemotes = (): void => {
      for (const remote of remotes) resetConnection(remote);
    };
    const close = (): void => {
      cutClient(request);
      closeRemotes();
    };
    const record = new ConnectionRecord(metadata, { moved: tally, close }, this.#records);
    try {
      await this.#connect(request, outbound, metadata, remotes, tally);
      record.end();
    } catch (error) {
      record.end(error);
      if (error instanceof DialError && error.code !== "aborted") {
        request.reject(toRejection(error, request.destination));
      } else {
        request.client.destroy();
        closeRemotes();
      }
    }
  }

  async #connect(
    request: ProxyRequest,
    outbound: DialingOutbound,
    metadata: ConnectionMetadata,
    remotes: Duplex[],
    tally: RelayTally,
  ): Promise<void> {
    const { client } = request;
    // Before the dial: counters of a connection exist even if its destination refuses.
    const told = this.#tracker.routedSinks?.(metadata);
    const tracked = told === undefined ? this.#tracker.routedConnection(client, metadata) : client;
    const { connection: remote, boundTo } = await dialFor(client, outbound, request);
    remotes.push(remote);
    request.accept(boundTo);
    const { connection, uplink, downlink } =
      told === undefined ? unwrapConnection(tracked) : { connection: client, ...told };
    const [buffers, waits] = [this.#buffers, this.#waits];
    // Not awaited: an idle tunnel is to hold no more than it needs.
    return relay(connection, remote, { uplink, downlink, tally, buffers, waits });
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
