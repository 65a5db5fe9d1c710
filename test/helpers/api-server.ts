import type { TestContext } from "node:test";
import { ApiServer, type ApiServerOptions } from "../../src/rpc/api-server.js";
import type { Counter } from "../../src/stats/counter.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { parseStatName } from "../../src/stats/stat-name.js";
import { ConnectionTable, type ConnectionEntry } from "../../src/track/connection-table.js";
import type { ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { OnlineUsers } from "../../src/track/online-users.js";
import { firstPort } from "./first-port.js";
import { closeAfter } from "./sockets.js";

/** The paths of the StatsService's calls, under V2Ray's name. */
export const paths = {
  getStats: "/v2ray.core.app.stats.command.StatsService/GetStats",
  queryStats: "/v2ray.core.app.stats.command.StatsService/QueryStats",
  getSysStats: "/v2ray.core.app.stats.command.StatsService/GetSysStats",
} as const;

/** A started server and what it serves. */
export interface TestApi {
  readonly server: ApiServer;
  readonly store: CounterStore;
  /** The connections whose users are online. */
  readonly connections: ConnectionTable;
  readonly online: OnlineUsers;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** Starts a server on a free port of 127.0.0.1; it is stopped after the test, which must leave no socket behind. */
export async function startApi(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<TestApi> {
  const store = new CounterStore();
  const online = new OnlineUsers();
  const connections = new ConnectionTable({ watchers: [online] });
  const server = new ApiServer({ listen: { host: "127.0.0.1", port: 0 }, store, online, ...options });
  closeAfter(t, server);
  const port = firstPort(await server.start());
  return { server, store, connections, online, port, url: `http://127.0.0.1:${port}` };
}

/** A connection of a user's, in name only, which stays until it is disposed of. */
export function connectUser({ connections }: TestApi, user: string, host: string): ConnectionEntry {
  const metadata: ConnectionMetadata = {
    ...{ inbound: "in", outbound: "out", user, network: "tcp", rule: "final" },
    ...{ source: { host, port: 1 }, destination: { host: "a.test", port: 2 } },
  };
  return connections.open(metadata, {
    moved: { uplinkBytes: 0, downlinkBytes: 0 },
    close: () => undefined,
  });
}

/** The counter of that whole name, created if need be, with that many bytes more. */
export function count(store: CounterStore, name: string, bytes: bigint | number): Counter {
  const statName = parseStatName(name);
  if (statName === undefined) throw new Error(`no counter can have the name ${name}`);
  const counter = store.counter(statName);
  for (let left = BigInt(bytes); left > 0n; left -= step(left)) counter.add(Number(step(left)));
  return counter;
}

/** The value of every counter, by name. */
export function valuesOf(store: CounterStore): Readonly<Record<string, bigint>> {
  return Object.fromEntries(
    Array.from(
      store.query(() => true),
      ({ name, counter }) => [name, counter.value],
    ),
  );
}

/** The name of a user's uplink counter: the name that most tests use. */
export function userUplink(user: string): string {
  return `user>>>${user}>>>traffic>>>uplink`;
}

function step(left: bigint): bigint {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return left < most ? left : most;
}
