import { isDeepStrictEqual } from "node:util";
import { secretsOf } from "./api-secrets.js";
import { tlsOptionsOf } from "./api-tls.js";
import type { Config } from "./config.js";
import type { InboundConfig } from "./inbounds.js";
import type { UserConfig } from "./users.js";

/** What becomes of things that have names. */
export interface NameChanges {
  readonly added: readonly string[];
  /** Those that have kept nothing but their names. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What makes one config of another. */
export interface ConfigDiff {
  /** By their tags. Other users do not make another inbound: see `users`. */
  readonly inbounds: NameChanges;
  /** By their tags. */
  readonly outbounds: NameChanges;
  /** The users of each inbound that stays, by its tag, where something becomes of them. */
  readonly users: ReadonlyMap<string, NameChanges>;
  /**
   * Whether the API is another one, wherever it listens: whom it lets call, its TLS, its metrics and limits, or whether there is
   * something to read.
   */
  readonly isApiChanged: boolean;
  /** Whether the API listens elsewhere: at other addresses, or at more or fewer. */
  readonly isApiMoved: boolean;
  /** The other sections that have changed, by their paths, such as `route`. */
  readonly sections: readonly string[];
  /**
   * Whether the connections end that somebody has by way of an inbound: because that has changed or is gone, or because
   * somebody could not log in any more as they did.
   *
   * @param user - `undefined` for those who did not have to log in.
   */
  readonly endsConnectionsOf: (inbound: string, user: string | undefined) => boolean;
}

/** Tells what has to be done to get from one config to another. Pure: the configs are all it looks at. */
export function diffConfigs(before: Config, after: Config): ConfigDiff {
  const inbounds = diffNamed(before.inbounds, after.inbounds, tagOf, withoutUsers);
  const outbounds = diffNamed(before.outbounds, after.outbounds, tagOf, itself);
  const oldByTag = new Map(before.inbounds.map((inbound) => [inbound.tag, inbound]));
  const gone = new Set([...inbounds.changed, ...inbounds.removed]);
  const users = new Map<string, NameChanges>();
  /** By inbound: who cannot log in any more as they did, `undefined` for those who did not have to. */
  const lockedOut = new Map<string, ReadonlySet<string | undefined>>();
  for (const inbound of after.inbounds) {
    const old = oldByTag.get(inbound.tag);
    if (old === undefined || gone.has(inbound.tag)) continue;
    const [oldUsers, newUsers] = [usersOf(old), usersOf(inbound)];
    const changes = diffNamed(oldUsers, newUsers, nameOf, itself);
    if (!isAny(changes)) continue;
    users.set(inbound.tag, changes);
    const nobody = oldUsers.length === 0 ? [undefined] : [];
    lockedOut.set(inbound.tag, new Set([...changes.changed, ...changes.removed, ...nobody]));
  }
  return {
    inbounds,
    outbounds,
    users,
    isApiChanged: !isDeepStrictEqual(apiOf(before), apiOf(after)),
    isApiMoved: !isDeepStrictEqual(listenOf(before), listenOf(after)),
    sections: Object.entries(sections)
      .filter(([, sectionOf]) => !isDeepStrictEqual(sectionOf(before), sectionOf(after)))
      .map(([path]) => path),
    endsConnectionsOf: (inbound, user) => gone.has(inbound) || lockedOut.get(inbound)?.has(user) === true,
  };
}

/** Whether something becomes of any of them. */
export function isAny({ added, changed, removed }: NameChanges): boolean {
  return added.length + changed.length + removed.length > 0;
}

/** What has no names, and takes effect as a whole. */
const sections: Readonly<Record<string, (config: Config) => unknown>> = {
  log: ({ log }) => log,
  route: ({ route }) => route,
  "experimental.v2ray_api.stats": ({ experimental }) => experimental.v2ray_api.stats,
  "experimental.limits": ({ experimental }) => experimental.limits,
  "experimental.timeouts": ({ experimental }) => experimental.timeouts,
};

function diffNamed<Item>(
  before: readonly Item[],
  after: readonly Item[],
  toName: (item: Item) => string,
  toCompared: (item: Item) => unknown,
): NameChanges {
  const old = new Map(before.map((item) => [toName(item), item]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const item of after) {
    const name = toName(item);
    const previous = old.get(name);
    if (previous === undefined) added.push(name);
    else if (!isDeepStrictEqual(toCompared(previous), toCompared(item))) changed.push(name);
    old.delete(name);
  }
  return { added, changed, removed: [...old.keys()] };
}

function apiOf({ experimental: { v2ray_api: api } }: Config): unknown {
  if (api.listen.length === 0) return undefined;
  const { access_control_allow_origin: origins, allow_from_proxy: isOpenToProxy } = api;
  const { stats, metrics, limits, insecure, tls } = api;
  return [
    secretsOf(api),
    isOpenToProxy,
    origins,
    stats.enabled,
    metrics,
    limits,
    insecure,
    tlsOptionsOf(tls),
  ];
}

function listenOf({ experimental }: Config): unknown {
  return experimental.v2ray_api.listen;
}

function usersOf(inbound: InboundConfig): readonly UserConfig[] {
  return "users" in inbound ? inbound.users : [];
}

function withoutUsers(inbound: InboundConfig): unknown {
  return "users" in inbound ? { ...inbound, users: undefined } : inbound;
}

function tagOf({ tag }: { readonly tag: string }): string {
  return tag;
}

function nameOf({ username }: UserConfig): string {
  return username;
}

function itself(item: unknown): unknown {
  return item;
}
