import type { Config } from "./config/config.js";
import { createInbound, type InboundHandlers } from "./create-inbound.js";
import { createOutbound } from "./create-outbound.js";
import { createRoutes } from "./create-routes.js";
import { silentLogger, type Logger } from "./log/logger.js";
import { ConnectionLimits } from "./net/connection-limits.js";
import { DescriptorHeadroom } from "./net/descriptor-headroom.js";
import type { Endpoint } from "./net/endpoint.js";
import { OwnSockets } from "./net/own-sockets.js";
import { Resolver } from "./net/resolver.js";
import { toError } from "./net/system-error.js";
import type { Inbound } from "./proxy/inbound.js";
import type { Outbound } from "./proxy/outbound.js";
import { PacketRouter } from "./proxy/packet-router.js";
import { Router } from "./proxy/router.js";
import { CounterStore } from "./stats/counter-store.js";
import { ConnectionTable } from "./track/connection-table.js";
import { chainTrackers } from "./track/connection-tracker.js";
import { OnlineUsers } from "./track/online-users.js";
import { StatsTracker } from "./track/stats-tracker.js";

/** A part of an app that listens. */
export interface Service {
  /**
   * Starts to accept; called once.
   *
   * @returns where it listens, with the port that was chosen if it was to take any.
   * @throws whatever is in the way; the app makes a StartError of it.
   */
  start(): Promise<Endpoint>;
  /**
   * Stops to accept, and resolves when everything that was accepted has ended. It may be called more than once, and
   * where the start has failed.
   *
   * @param cut - Aborts when what is still open has to end at once. It may have aborted before the call.
   */
  stop(cut: AbortSignal): Promise<void>;
}

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
  /** The app's own. */
  readonly logger: Logger;
}

/**
 * Makes the V2Ray API server of an app, which is handed one so that it can do without. It is called by the app's
 * constructor, and only for a config that says where the API listens; what it throws, the constructor throws.
 */
export type CreateApiServer = (options: CreateApiServerOptions) => Service;

/** What every `createApp()` takes beside the config. */
export interface CreateAppOptions {
  /** Told of every connection, and of what fails. Default: silent. */
  readonly logger?: Logger;
}

/** What the constructor of {@link App} takes beside the config. */
export interface AppOptions extends CreateAppOptions {
  /** Makes the server that the config describes in `experimental.v2ray_api`. */
  readonly createApiServer: CreateApiServer;
}

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

/**
 * A part of an app could not be started; what had been started before it is stopped again. The message names the part
 * and says what was in the way, which is the `cause`: a `ListenError` as a rule.
 */
export class StartError extends Error {
  override readonly name = "StartError";
  /** Tells this error from others. */
  readonly code = "START_FAILED";

  /**
   * @param part - Which part, as the message names it.
   * @param cause - What was thrown.
   */
  constructor(part: string, cause: unknown) {
    super(`${part}: ${toError(cause).message}`, { cause });
  }
}

/**
 * Everything that a config describes, put together: inbounds, router, outbounds, the counters between them, and the
 * V2Ray API that reads these.
 *
 * `createApp()` makes one. It does nothing before {@link App.start}, which is called once: a stopped app is not started
 * again, another one is made.
 */
export class App {
  /** The counters, to be read while the app runs and after it; empty where the config counts nothing. */
  readonly store: CounterStore;
  /** The connections that are open, to be listed and closed. */
  readonly connections: ConnectionTable;
  /** Which of the users that the config counts have connections, and from where. */
  readonly online: OnlineUsers;
  readonly #inbounds: readonly Inbound[];
  readonly #outbounds: readonly Outbound[];
  readonly #api: Service | undefined;
  readonly #started: Service[] = [];
  /** What is being routed. */
  readonly #running = new Set<Promise<void>>();
  #starting: Promise<AppAddresses> | undefined;

  /**
   * Puts the parts together. For programs that bring an API server of their own; all others call `createApp()`.
   *
   * @throws whatever `createApiServer` throws.
   */
  constructor(config: Config, { createApiServer, logger = silentLogger }: AppOptions) {
    const { limits } = config.experimental;
    const { listen, stats, access_control_allow_origin: allowedOrigins } = config.experimental.v2ray_api;
    this.store = new CounterStore({ maxCounters: stats.max_counters });
    const trackers = stats.enabled ? [new StatsTracker(this.store, { ...stats, logger })] : [];
    this.online = new OnlineUsers({
      users: stats.enabled ? stats.users : [],
      countLoopback: stats.online_loopback,
    });
    const connections = new ConnectionTable({ watchers: [this.online] });
    this.connections = connections;
    const surroundings = { logger, resolver: new Resolver(), ownSockets: new OwnSockets() };
    this.#outbounds = config.outbounds.map((outbound) => createOutbound(outbound, surroundings));
    const routes = createRoutes(config, this.#outbounds);
    const routing = { routes, tracker: chainTrackers(trackers), connections, logger };
    const router = new Router(routing);
    const packetRouter = new PacketRouter(routing);
    const { admit } = new ConnectionLimits({
      ...{ maxCount: limits.connections, maxPerSource: limits.connections_per_source },
      hasRoom: new DescriptorHeadroom({ logger }).hasRoom,
      logger,
    });
    const handlers: InboundHandlers = {
      admit,
      onRequest: async (request) => this.#run(router.route(request)),
      onPackets: async (request) => this.#run(packetRouter.route(request)),
    };
    this.#inbounds = config.inbounds.map((inbound) => createInbound(inbound, handlers, surroundings));
    const served = stats.enabled ? { store: this.store, online: this.online } : {};
    this.#api =
      listen === undefined ? undefined : createApiServer({ listen, ...served, allowedOrigins, logger });
  }

  /**
   * Starts the outbounds, where there is something to start, the inbounds, and then, when there is something to read
   * from, the API.
   *
   * @returns where they listen.
   * @throws StartError if one of them cannot listen, or cannot read what it needs. Nothing runs then.
   */
  async start(): Promise<AppAddresses> {
    this.#starting = this.#startAll();
    return this.#starting;
  }

  /**
   * Stops to accept, lets connections and calls end, and cuts those still open when `cut` aborts. An app that is being
   * started is started first. Resolves when everything has ended.
   *
   * @param cut - How long to wait: `AbortSignal.timeout(5_000)` for five seconds. Without an end of it, one client
   * that stays holds up the stop for ever.
   */
  async stop(cut: AbortSignal): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#stopStarted(cut);
  }

  /** Stops at once, cutting what is open; for `await using`. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  async #startAll(): Promise<AppAddresses> {
    for (const outbound of this.#outbounds) {
      if (!outbound.blocks) await this.#startPart(async () => outbound.start?.(), `outbound ${outbound.tag}`);
    }
    const inbounds = [];
    for (const inbound of this.#inbounds) {
      const { tag, type } = inbound;
      inbounds.push({ tag, type, address: await this.#startService(inbound, `inbound ${tag}`) });
    }
    const api = this.#api && (await this.#startService(this.#api, "v2ray_api"));
    return { inbounds, api };
  }

  async #startService(service: Service, part: string): Promise<Endpoint> {
    this.#started.push(service);
    return this.#startPart(async () => service.start(), part);
  }

  async #startPart<T>(start: () => Promise<T>, part: string): Promise<T> {
    try {
      return await start();
    } catch (error) {
      await this.#stopStarted(AbortSignal.abort());
      throw new StartError(part, error);
    }
  }

  async #stopStarted(cut: AbortSignal): Promise<void> {
    await Promise.all(this.#started.splice(0).map(async (service) => service.stop(cut)));
    // A connection is over a little later than its client's.
    await Promise.all(this.#running);
  }

  async #run(routed: Promise<void>): Promise<void> {
    this.#running.add(routed);
    await routed;
    this.#running.delete(routed);
  }
}
