import type { ConfigDiff } from "./config/config-diff.js";
import { secretsOf, type SecretConfig } from "./config/api-secrets.js";
import type { Config } from "./config/config.js";
import type { InboundConfig } from "./config/inbounds.js";
import type { OutboundConfig } from "./config/outbounds.js";
import { createInbound, type InboundHandlers, type InboundSurroundings } from "./create-inbound.js";
import { createOutbound, type OutboundSurroundings } from "./create-outbound.js";
import type { Logger } from "./log/logger.js";
import type { RefusedConnections } from "./net/connection-limits.js";
import type { Endpoint } from "./net/endpoint.js";
import { OwnSockets } from "./net/own-sockets.js";
import { Resolver } from "./net/resolver.js";
import type { Gate } from "./parts/gate.js";
import { Part } from "./parts/part.js";
import type { Service } from "./parts/service.js";
import type { ClientTimes } from "./proxy/client-times.js";
import type { Inbound } from "./proxy/inbound.js";
import type { Outbound } from "./proxy/outbound.js";
import type { CounterStore } from "./stats/counter-store.js";
import type { ConnectionTable } from "./track/connection-table.js";
import type { OnlineUsers } from "./track/online-users.js";

/** What an app asks of its V2Ray API server: what the config says in `experimental.v2ray_api`. */
export interface CreateApiServerOptions {
  /** Where to listen. An empty host means every address of the machine, port 0 any free one. */
  readonly listen: Endpoint;
  /** The counters to serve; absent where the config counts nothing. */
  readonly store?: CounterStore | undefined;
  /** The users who are online; absent where the config counts nothing. */
  readonly online?: OnlineUsers | undefined;
  /** The origins whose web pages may call, as browsers write them: `https://panel.example`. */
  readonly allowedOrigins: readonly string[];
  /** What is served beside the calls: whether anything, with whose names, and whether users are told of. */
  readonly metrics: Config["experimental"]["v2ray_api"]["metrics"];
  /** What requests, connections and all of them together may take. */
  readonly limits: Config["experimental"]["v2ray_api"]["limits"];
  /** The app's own, to be told of in the metrics. */
  readonly connections: ConnectionTable;
  /** What the app's limits have refused, to be told of in the metrics. The figures go on changing. */
  readonly refusedConnections: RefusedConnections;
  /** The secrets with which one may call, by their names; none where everybody may. */
  readonly secrets: readonly SecretConfig[];
  /** Whether it may listen beyond loopback without a secret. */
  readonly insecure: boolean;
  /** The app's own. */
  readonly logger: Logger;
}

/**
 * Makes the V2Ray API server of an app, which is handed one so that it can do without. It is called by the app's
 * constructor and by each reload that brings another API, and only for a config that says where the API listens; what it
 * throws, they throw.
 */
export type CreateApiServer = (options: CreateApiServerOptions) => Service;

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
  /** Where the V2Ray API listens; absent where it is off. */
  readonly api?: Endpoint | undefined;
}

/** A config, and the parts that it describes. */
export interface Assembly {
  readonly config: Config;
  readonly outbounds: readonly Outbound[];
  readonly inbounds: readonly Part<Inbound>[];
  readonly api: Part | undefined;
}

/** The parts of an assembly that listen, in the order in which they are opened: first what can be counted, then who reads. */
export function partsOf({ inbounds, api }: Assembly): readonly Part[] {
  return api === undefined ? inbounds : [...inbounds, api];
}

/** Where the parts of an assembly listen, all of which are open. */
export function addressesOf({ inbounds, api }: Assembly): AppAddresses {
  return {
    inbounds: inbounds.flatMap(({ service: { tag, type }, address }) =>
      address === undefined ? [] : [{ tag, type, address }],
    ),
    api: api?.address,
  };
}

/** An assembly as if its parts that are not open were not in its config: so a diff from there brings them back. */
export function withoutClosed({ config, outbounds, inbounds, api }: Assembly): Assembly {
  const open = inbounds.filter(({ address }) => address !== undefined);
  const tags = new Set(open.map(({ service }) => service.tag));
  const { experimental } = config;
  const isApiOpen = api?.address !== undefined;
  return {
    config: {
      ...config,
      inbounds: config.inbounds.filter(({ tag }) => tags.has(tag)),
      experimental: isApiOpen
        ? experimental
        : { ...experimental, v2ray_api: { ...experimental.v2ray_api, listen: undefined } },
    },
    outbounds,
    inbounds: open,
    api: isApiOpen ? api : undefined,
  };
}

/** How long calls may take to end at an API that gives way to another one, in milliseconds. */
const apiGraceMs = 2_000;

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
    this.#surroundings = { logger, times, resolver: new Resolver(), ownSockets: new OwnSockets() };
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
      api: step?.diff.isApiChanged === false ? step.before.api : this.#createApi(config),
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

  #createInbound(config: InboundConfig, gate: Gate | undefined): Part<Inbound> {
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
      create: (place) => createInbound(config, place, gated ?? handlers, this.#surroundings),
    });
  }

  #createApi({ experimental }: Config): Part | undefined {
    const { listen: place, stats, metrics, limits, insecure } = experimental.v2ray_api;
    const { access_control_allow_origin: allowedOrigins } = experimental.v2ray_api;
    if (place === undefined) return undefined;
    const { createApiServer, logger, store, online, connections, refusedConnections } = this.#options;
    const secrets = secretsOf(experimental.v2ray_api);
    const served = stats.enabled ? { store, online } : {};
    const told = { metrics, connections, refusedConnections };
    return new Part({
      name: "v2ray_api",
      listen: place,
      create: (listen) =>
        createApiServer({ listen, ...served, ...told, limits, allowedOrigins, secrets, insecure, logger }),
      graceMs: apiGraceMs,
    });
  }
}

function partsByTag(step: Step | undefined): Map<string, Part<Inbound>> {
  return new Map(step?.before.inbounds.map((part) => [part.service.tag, part]));
}

/** What is in a file may have changed though its name has not. */
function readsFile(outbound: OutboundConfig): boolean {
  return outbound.type === "http" && outbound.tls.certificate_path !== undefined;
}
