import type { Config } from "./config/config.js";
import type { InboundConfig } from "./config/inbounds.js";
import type { OutboundConfig } from "./config/outbounds.js";
import { silentLogger, type Logger } from "./log/logger.js";
import type { Endpoint } from "./net/endpoint.js";
import { toError } from "./net/system-error.js";
import { DirectOutbound } from "./proxy/direct-outbound.js";
import type { Inbound, RequestHandler } from "./proxy/inbound.js";
import type { Outbound } from "./proxy/outbound.js";
import { ProxyInbound } from "./proxy/proxy-inbound.js";
import { Router, type RouterOptions } from "./proxy/router.js";
import { Rule } from "./proxy/rule.js";
import { CounterStore } from "./stats/counter-store.js";
import { chainTrackers } from "./track/connection-tracker.js";
import { StatsTracker } from "./track/stats-tracker.js";

/** A part of the app that listens. */
export interface Service {
  /** @returns where it listens. */
  start(): Promise<Endpoint>;
  stop(cut: AbortSignal): Promise<void>;
}

/** Makes the V2Ray API server. The app is given one, so that it can do without. */
export type CreateApiServer = (options: {
  readonly listen: Endpoint;
  /** The counters to serve; absent where nothing is counted. */
  readonly store?: CounterStore | undefined;
  readonly allowedOrigins: readonly string[];
  readonly logger: Logger;
}) => Service;

export interface AppOptions {
  readonly createApiServer: CreateApiServer;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Where a started app listens. */
export interface AppAddresses {
  /** In the order of the config. */
  readonly inbounds: readonly { readonly tag: string; readonly type: string; readonly address: Endpoint }[];
  /** Absent where the API is off. */
  readonly api?: Endpoint | undefined;
}

/** A part could not be started; what had been started before it is stopped again. The message names the part. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code = "START_FAILED";

  /** @param cause - What was thrown. */
  constructor(part: string, cause: unknown) {
    super(`${part}: ${toError(cause).message}`, { cause });
  }
}

/**
 * Everything that a config describes, put together: inbounds, router, outbounds, the counters between them, and the
 * V2Ray API that reads these.
 */
export class App {
  /** The counters; empty where nothing is counted. */
  readonly store = new CounterStore();
  readonly #inbounds: readonly Inbound[];
  readonly #api: Service | undefined;
  readonly #started: Service[] = [];
  #starting: Promise<AppAddresses> | undefined;

  constructor(config: Config, { createApiServer, logger = silentLogger }: AppOptions) {
    const { listen, stats, access_control_allow_origin: allowedOrigins } = config.experimental.v2ray_api;
    const trackers = stats.enabled ? [new StatsTracker(this.store, stats)] : [];
    const router = new Router({ ...createRoutes(config), tracker: chainTrackers(trackers), logger });
    const onRequest: RequestHandler = async (request) => router.route(request);
    this.#inbounds = config.inbounds.map((inbound) => createInbound(inbound, onRequest, logger));
    const store = stats.enabled ? this.store : undefined;
    this.#api = listen === undefined ? undefined : createApiServer({ listen, store, allowedOrigins, logger });
  }

  /**
   * Starts the inbounds and then, when there is something to read from, the API.
   *
   * @throws StartError
   */
  async start(): Promise<AppAddresses> {
    this.#starting = this.#startAll();
    return this.#starting;
  }

  /**
   * Stops to accept, lets connections and calls end, and cuts those still open when `cut` aborts. An app that is being
   * started is started first.
   */
  async stop(cut: AbortSignal): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#stopStarted(cut);
  }

  /** Stops at once. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  async #startAll(): Promise<AppAddresses> {
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
    try {
      return await service.start();
    } catch (error) {
      await this.#stopStarted(AbortSignal.abort());
      throw new StartError(part, error);
    }
  }

  async #stopStarted(cut: AbortSignal): Promise<void> {
    await Promise.all(this.#started.splice(0).map(async (service) => service.stop(cut)));
  }
}

function createInbound(config: InboundConfig, onRequest: RequestHandler, logger: Logger): Inbound {
  const { tag, type, listen, listen_port: port, users } = config;
  return new ProxyInbound({ tag, type, listen: { host: listen, port }, users, onRequest, logger });
}

/** The rules, and the outbound that `route.final` names, else the first one, as in sing-box. */
function createRoutes({ outbounds, route }: Config): Pick<RouterOptions, "rules" | "final"> {
  const byTag = new Map(outbounds.map((outbound) => [outbound.tag, createOutbound(outbound)]));
  const outboundOf = (tag: string | undefined): Outbound => {
    const outbound = byTag.get(tag ?? "");
    if (outbound === undefined) throw new RangeError(`there is no outbound ${String(tag)}`);
    return outbound;
  };
  return {
    rules: route.rules.map(({ inbound: inbounds, auth_user: users, outbound }) => {
      return new Rule({ inbounds, users, outbound: outboundOf(outbound) });
    }),
    final: outboundOf(route.final ?? outbounds[0]?.tag),
  };
}

function createOutbound({ tag, type }: OutboundConfig): Outbound {
  return type === "block" ? { tag, blocks: true } : new DirectOutbound({ tag });
}
