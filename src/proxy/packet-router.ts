import { silentLogger, type Logger } from "../log/logger.js";
import { DialError } from "../net/dial-error.js";
import { formatEndpoint, type Endpoint } from "../net/endpoint.js";
import { PacketTally, relayPackets } from "../net/packet-relay.js";
import { ConnectionTable } from "../track/connection-table.js";
import type { ConnectionMetadata, ConnectionTracker } from "../track/connection-tracker.js";
import { ConnectionRecord } from "./connection-record.js";
import type { PacketRequest } from "./inbound.js";
import { carriesPackets, type PacketOutbound } from "./outbound.js";
import { PacketBranch } from "./packet-branch.js";
import type { ChosenRoute, Routes } from "./routes.js";

export interface PacketRouterOptions {
  readonly routes: Routes;
  readonly tracker: ConnectionTracker;
  /** Where each connection stands while it is open. Default: a table of its own. */
  readonly connections?: ConnectionTable;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Takes the packets of each client to their destinations. The rules are asked for each packet, not for each client: no
 * destination can hide behind the first one. What leaves through one outbound is one routed connection.
 */
export class PacketRouter {
  readonly #options: Required<PacketRouterOptions>;

  constructor({
    routes,
    tracker,
    connections = new ConnectionTable(),
    logger = silentLogger,
  }: PacketRouterOptions) {
    this.#options = { routes, tracker, connections, logger };
  }

  /** Resolves when the client's connection is over. It never rejects: what fails is logged, and ends the connection. */
  async route(request: PacketRequest): Promise<void> {
    await new RoutedClient(request, this.#options).run();
  }
}

/** How long an outbound is left alone when its branch has ended, in milliseconds: the next packet may come at once. */
const retryDelayMs = 1_000;

/**
 * One client, from its first packet to its last. The end of one outbound's branch, or that there can be none, is nothing to
 * the others; the next packet for that outbound opens another one. Where other rules come to hold, the client's next packet ends
 * the branches to which none of them leads.
 */
class RoutedClient {
  readonly #request: PacketRequest;
  readonly #options: Required<PacketRouterOptions>;
  readonly #branches = new Map<PacketOutbound, PacketBranch>();
  readonly #carried = new Set<Promise<void>>();
  readonly #retryAtMs = new Map<PacketOutbound, number>();
  readonly #gone = new AbortController();
  #newest: { readonly destination: Endpoint; readonly route: ChosenRoute } | undefined;
  #revision: number;
  #hasDropped = false;

  constructor(request: PacketRequest, options: Required<PacketRouterOptions>) {
    this.#request = request;
    this.#options = options;
    this.#revision = options.routes.revision;
  }

  async run(): Promise<void> {
    const { client } = this.#request;
    client.receive(this.#onPacket);
    await client.closed;
    this.#gone.abort();
    for (const branch of this.#branches.values()) branch.close();
    await Promise.all(this.#carried);
  }

  readonly #onPacket = (payload: Buffer, destination: Endpoint): void => {
    const route = this.#choose(destination);
    const { outbound } = route;
    if (outbound.blocks) {
      this.#drop("blocked by the proxy's rules", payload, destination);
    } else if (!carriesPackets(outbound)) {
      this.#drop(`outbound ${outbound.tag} carries no packets`, payload, destination);
    } else {
      const branch = this.#branches.get(outbound) ?? this.#open(outbound, route.rule, destination);
      if (branch === undefined) this.#drop("its outbound ended a moment ago", payload, destination);
      else if (!branch.deliver(payload, destination)) {
        this.#drop("too many packets wait for the outbound", payload, destination);
      }
    }
  };

  /** Clients send many packets to one destination: the last answer is kept. */
  #choose(destination: Endpoint): ChosenRoute {
    const { routes } = this.#options;
    if (this.#revision !== routes.revision) this.#goBy(routes);
    const newest = this.#newest;
    const isSame =
      newest?.destination.host === destination.host && newest.destination.port === destination.port;
    if (isSame) return newest.route;
    const { inbound, user, source } = this.#request;
    const route = routes.choose({ inbound, user, network: "udp", source, destination });
    this.#newest = { destination, route };
    return route;
  }

  /** Other rules hold from here on: ends the branches that no packet could reach any more. */
  #goBy(routes: Routes): void {
    this.#revision = routes.revision;
    this.#newest = undefined;
    for (const [outbound, branch] of this.#branches) {
      if (routes.leadTo(outbound)) continue;
      this.#branches.delete(outbound);
      branch.close();
    }
    for (const outbound of this.#retryAtMs.keys()) {
      if (!routes.leadTo(outbound)) this.#retryAtMs.delete(outbound);
    }
  }

  #open(outbound: PacketOutbound, rule: string, destination: Endpoint): PacketBranch | undefined {
    if (performance.now() < (this.#retryAtMs.get(outbound) ?? 0)) return undefined;
    const { client, inbound, user, source } = this.#request;
    const branch = new PacketBranch(client);
    this.#branches.set(outbound, branch);
    const metadata: ConnectionMetadata = {
      ...{ inbound, outbound: outbound.tag, user, network: "udp", source, destination, rule },
    };
    const carried = this.#carry(branch, outbound, metadata).finally(() => {
      this.#carried.delete(carried);
      // It was ended here, and another one may have its place.
      if (this.#branches.get(outbound) !== branch) return;
      this.#branches.delete(outbound);
      this.#retryAtMs.set(outbound, performance.now() + retryDelayMs);
    });
    this.#carried.add(carried);
    return branch;
  }

  /** Never rejects. */
  async #carry(branch: PacketBranch, outbound: PacketOutbound, metadata: ConnectionMetadata): Promise<void> {
    const tally = new PacketTally();
    // The client is at one side of it, with whatever else it sends.
    const close = (): void => {
      this.#request.client.close();
    };
    const record = new ConnectionRecord(metadata, { moved: tally, close }, this.#options);
    try {
      // Before the dial: counters of a connection exist even if its outbound fails.
      const tracked = this.#options.tracker.routedPacketConnection(branch, metadata);
      const remote = await outbound.dialPackets({ signal: this.#gone.signal });
      await relayPackets(tracked, remote, {
        tally,
        onDropped: (error, payload, endpoint) => {
          this.#drop(error.message, payload, endpoint);
        },
      });
      record.end();
    } catch (error) {
      record.end(error);
      // An outbound that fails takes nobody with it. Packets have no answer that could say so.
      if (!(error instanceof DialError)) close();
    }
  }

  /** The first one of a client is worth a line for people; a flood of them is not. */
  #drop(reason: string, payload: Buffer, endpoint: Endpoint): void {
    const { inbound, user, source } = this.#request;
    const level = this.#hasDropped ? "debug" : "info";
    this.#hasDropped = true;
    this.#options.logger[level]("packet dropped", {
      ...{ inbound, user, source: formatEndpoint(source), endpoint: formatEndpoint(endpoint) },
      ...{ bytes: payload.length, reason },
    });
  }
}
