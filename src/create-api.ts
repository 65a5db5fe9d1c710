import { secretsOf, type SecretConfig } from "./config/api-secrets.js";
import { tlsOptionsOf } from "./config/api-tls.js";
import type { Config } from "./config/config.js";
import type { Logger } from "./log/logger.js";
import type { IsOwnConnection } from "./net/admit-others.js";
import type { RefusedConnections } from "./net/connection-limits.js";
import { formatListenAddress, type ListenAddress } from "./net/listen-address.js";
import type { FailedLogins } from "./net/login-brake.js";
import type { OwnListeners } from "./net/own-listeners.js";
import type { OwnSockets } from "./net/own-sockets.js";
import type { TlsServerOptions } from "./net/tls-server-options.js";
import { Part } from "./parts/part.js";
import type { Service } from "./parts/service.js";
import type { CounterStore } from "./stats/counter-store.js";
import type { ConnectionTable } from "./track/connection-table.js";
import type { OnlineUsers } from "./track/online-users.js";

/** What an app asks of its V2Ray API server: what the config says in `experimental.v2ray_api`. */
export interface CreateApiServerOptions {
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
  /** The logins that have failed at the app's inbounds, to be told of in the metrics. The figures go on changing. */
  readonly failedLogins: FailedLogins;
  /** The secrets with which one may call, by their names; none where everybody may. */
  readonly secrets: readonly SecretConfig[];
  /** Whether it may listen beyond loopback without a secret. */
  readonly insecure: boolean;
  /** What TLS it speaks on its ports; `undefined` for none. */
  readonly tls: TlsServerOptions | undefined;
  /** Tells which accepted connections the app itself has made, for clients of the proxy; `undefined` where these may call. */
  readonly isOwnConnection: IsOwnConnection | undefined;
  /** The app's own. */
  readonly logger: Logger;
}

/**
 * Makes what listens for an API server, at one address of those that the config names. An empty host means every address of
 * the machine, port 0 any free one.
 */
export type CreateApiListener = (listen: ListenAddress) => Service<ListenAddress>;

/**
 * Makes the V2Ray API server of an app, which is handed one so that it can do without. It is called by the app's
 * constructor and by each reload that brings another API, and only for a config that says where the API listens; what it
 * throws, they throw. What it returns is called for each address, and again by reloads that bring more of them.
 */
export type CreateApiServer = (options: CreateApiServerOptions) => CreateApiListener;

/** The V2Ray API of an app: what listens for it, all of which serve the same. */
export interface ApiParts {
  /** In the order of the config. */
  readonly parts: readonly Part<ListenAddress>[];
  /** Makes what listens for it; `undefined` where it is off. */
  readonly createListener: CreateApiListener | undefined;
}

/** What an API has that is not in the config. */
export interface ApiSurroundings extends Omit<
  CreateApiServerOptions,
  "allowedOrigins" | "metrics" | "limits" | "secrets" | "insecure" | "tls" | "isOwnConnection"
> {
  /** Knows what the app has connected to, and so clients of the proxy who come to the API. */
  readonly ownSockets: OwnSockets;
  /** Is told where it listens, unless the config opens that to clients of the proxy. */
  readonly ownListeners: OwnListeners;
}

/** How long calls may take to end at an API that gives way to another one, in milliseconds. */
const apiGraceMs = 2_000;

/**
 * Makes the API that a config describes. None of its parts is open but for those that it takes over.
 *
 * @param before - That of the config before, if nothing but the addresses has changed: what listens at one that stays goes on.
 * @throws whatever `create` throws.
 */
export function createApiParts(
  { experimental: { v2ray_api: config } }: Config,
  create: CreateApiServer,
  { store, online, ownSockets, ownListeners, ...surroundings }: ApiSurroundings,
  before?: ApiParts,
): ApiParts {
  const { listen, stats, metrics, insecure, access_control_allow_origin: allowedOrigins } = config;
  const { limits, allow_from_proxy: isOpenToProxy } = config;
  if (listen.length === 0) return { parts: [], createListener: undefined };
  const createListener =
    before?.createListener ??
    create({
      ...(stats.enabled ? { store, online } : {}),
      ...{ ...surroundings, metrics, limits, insecure, allowedOrigins },
      ...{ secrets: secretsOf(config), tls: tlsOptionsOf(config.tls) },
      isOwnConnection: isOpenToProxy ? undefined : ownSockets.isConnection,
    });
  const common = {
    name: "v2ray_api",
    ownListeners: isOpenToProxy ? undefined : ownListeners,
    create: createListener,
    graceMs: apiGraceMs,
  };
  const rest = [...(before?.parts ?? [])];
  const parts = listen.map((address) => {
    const place = rest.findIndex((part) => formatListenAddress(part.listen) === formatListenAddress(address));
    const [same] = place < 0 ? [] : rest.splice(place, 1);
    return same ?? new Part<ListenAddress>({ ...common, listen: address });
  });
  return { parts, createListener };
}
