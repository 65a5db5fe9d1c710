import type { ConfigDiff } from "./config/config-diff.js";
import type { Config } from "./config/config.js";
import type { InboundConfig } from "./config/inbounds.js";
import type { OutboundConfig } from "./config/outbounds.js";
import { createApiParts, type ApiParts, type CreateApiServer } from "./create-api.js";
import { createInbound, type InboundHandlers, type InboundSurroundings } from "./create-inbound.js";
import { createOutbound, type OutboundSurroundings } from "./create-outbound.js";
import type { Logger } from "./log/logger.js";
import type { RefusedConnections } from "./net/connection-limits.js";
import type { Endpoint } from "./net/endpoint.js";
import type { ListenAddress } from "./net/listen-address.js";
import { LocalAddresses } from "./net/local-addresses.js";
import { LoginBrake } from "./net/login-brake.js";
import { OwnListeners } from "./net/own-listeners.js";
import { OwnSockets } from "./net/own-sockets.js";
import { Resolver } from "./net/resolver.js";
import type { Gate } from "./parts/gate.js";
import { Part, type ListeningPart } from "./parts/part.js";
import type { ClientTimes } from "./proxy/client-times.js";
import type { Inbound } from "./proxy/inbound.js";
import type { Outbound } from "./proxy/outbound.js";
import type { CounterStore } from "./stats/counter-store.js";
import type { ConnectionTable } from "./track/connection-table.js";
import type { OnlineUsers } from "./track/online-users.js";

/** Where an inbound of a started app listens. */
export interface InboundAddress {
  /** The inbound's tag: that of the config, or its index in the list. */
  readonly tag: string;
  /** The inbound's type in the config, such as `mixed`. */
  readonly type: string;
  /** With the port that was chosen if the config names port 0. */
  readonly address: Endpoint;
}

/** Where a started app listens. */
export interface AppAddresses {
  /** In the order of the config. */
  readonly inbounds: readonly InboundAddress[];
  /** Where the V2Ray API listens, in the order of the config; nowhere where it is off. */
  readonly api: readonly ListenAddress[];
}

/** A config, and the parts that it describes. */
export interface Assembly {
  readonly config: Config;
  readonly outbounds: readonly Outbound[];
  readonly inbounds: readonly Part<Endpoint, Inbound>[];
  readonly api: ApiParts;
}

/** The parts of an assembly that listen, in the order in which they are opened: first what can be counted, then who reads. */
export function partsOf({ inbounds, api }: Assembly): readonly ListeningPart[] {
  return [...inbounds, ...api.parts];
}

/** Where the parts of an assembly listen, all of which are open. */
export function addressesOf({ inbounds, api }: Assembly): AppAddresses {
  return {
    inbounds: inbounds.flatMap(({ service: { tag, type }, address }) =>
      address === undefined ? [] : [{ tag, type, address }],
    ),
    api: api.parts.flatMap(({ address }) => (address === undefined ? [] : [address])),
  };
}

/** An assembly as if its parts that are not open were not in its config: so a diff from there brings them back. */
export function withoutClosed({ config, outbounds, inbounds, api }: Assembly): Assembly {
  const open = inbounds.filter(({ address }) => address !== undefined);
  const tags = new Set(open.map(({ service }) => service.tag));
  const { experimental } = config;
  const parts = api.parts.filter(({ address }) => address !== undefined);
  const listen = parts.map((part) => part.listen);
  return {
    config: {
      ...config,
      inbounds: config.inbounds.filter(({ tag }) => tags.has(tag)),
      experimental: { ...experimental, v2ray_api: { ...experimental.v2ray_api, listen } },
    },
    outbounds,
    inbounds: open,
    api: { ...api, parts },
  };
}

/** What an {@link Assembler} makes parts with. */
export interface AssemblerOptions {
  readonly handlers: InboundHandlers;
  /** How long clients may take. */
  readonly times: ClientTimes;
  readonly store: CounterStore;
  readonly online: OnlineUsers;
  readonly connections: ConnectionTable;
  readonly refusedConnections: RefusedConnections;
  readonly createApiServer: CreateApiServer;
  readonly logger: Logger;
}

/** How to get from one assembly to the next. */
export interface Step {
  readonly before: Assembly;
  readonly diff: ConfigDiff;
  /** Where whoever comes by a new inbound has to wait. */
  readonly gate: Gate;
}

/** Makes the parts that a config describes, and takes over those of another assembly that are the same. */
export class Assembler {
  readonly #options: AssemblerOptions;
  readonly #surroundings: InboundSurroundings & OutboundSurroundings;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    const { logger, times } = options;
    const logins = new LoginBrake({ logger });
    const addresses = new LocalAddresses({ logger });
    const own = { ownSockets: new OwnSockets(addresses), ownListeners: new OwnListeners(addresses) };
    this.#surroundings = { logger, times, logins, resolver: new Resolver(), ...own };
  }

  /**
   * Makes an assembly. None of its new parts is open.
   *
   * @param step - Default: there is none before it.
   * @throws whatever `createApiServer` throws.
   */
  assemble(config: Config, step?: Step): Assembly {
    const inbounds = partsByTag(step);
    const outbounds = new Map(step?.before.outbounds.map((outbound) => [outbound.tag, outbound]));
    for (const tag of step?.diff.inbounds.changed ?? []) inbounds.delete(tag);
    for (const tag of step?.diff.outbounds.changed ?? []) outbounds.delete(tag);
    return {
      config,
      outbounds: config.outbounds.map((outbound) => {
        const same = readsFile(outbound) ? undefined : outbounds.get(outbound.tag);
        return same ?? createOutbound(outbound, this.#surroundings);
      }),
      inbounds: config.inbounds.map(
        (inbound) => inbounds.get(inbound.tag) ?? this.#createInbound(inbound, step?.gate),
      ),
      api: this.#createApi(config, step),
    };
  }

  /** Gives the inbounds that stay their new users, now and when they are opened again. */
  replaceUsers({ config, inbounds }: Assembly, { users }: ConfigDiff): void {
    for (const [index, inbound] of config.inbounds.entries()) {
      const part = inbounds[index];
      if (part === undefined || !users.has(inbound.tag)) continue;
      part.createBy((listen) => createInbound(inbound, listen, this.#options.handlers, this.#surroundings));
      if ("users" in inbound) part.service.replaceUsers?.(inbound.users);
    }
  }

  #createInbound(config: InboundConfig, gate: Gate | undefined): Part<Endpoint, Inbound> {
    const { tag, listen: host, listen_port: port } = config;
    const { handlers } = this.#options;
    const { onRequest, onPackets } = handlers;
    const gated = gate && {
      ...handlers,
      onRequest: gate.before(onRequest),
      onPackets: gate.before(onPackets),
    };
    return new Part({
      name: `inbound ${tag}`,
      listen: { host, port },
      ...(config.type === "direct" && { networks: config.network }),
      ownListeners: this.#surroundings.ownListeners,
      create: (place) => createInbound(config, place, gated ?? handlers, this.#surroundings),
    });
  }

  #createApi(config: Config, step: Step | undefined): ApiParts {
    const { createApiServer, logger, store, online, connections, refusedConnections } = this.#options;
    const { logins, ownSockets, ownListeners } = this.#surroundings;
    const { failed: failedLogins } = logins;
    const told = { connections, refusedConnections, failedLogins };
    const surroundings = { logger, store, online, ownSockets, ownListeners, ...told };
    const same = step?.diff.isApiChanged === false ? step.before.api : undefined;
    return createApiParts(config, createApiServer, surroundings, same);
  }
}

function partsByTag(step: Step | undefined): Map<string, Part<Endpoint, Inbound>> {
  return new Map(step?.before.inbounds.map((part) => [part.service.tag, part]));
}

/** What is in a file may have changed though its name has not. */
function readsFile(outbound: OutboundConfig): boolean {
  return outbound.type === "http" && outbound.tls.certificate_path !== undefined;
}
