import {
  addressesOf,
  Assembler,
  partsOf,
  withoutClosed,
  type AppAddresses,
  type Assembly,
} from "./assembly.js";
import { boundsOf, knownOf, timesOf, type Mutable } from "./app-settings.js";
import { diffConfigs, type ConfigDiff } from "./config/config-diff.js";
import type { Config } from "./config/config.js";
import { summarizeDiff } from "./config/diff-summary.js";
import type { CreateApiServer } from "./create-api.js";
import type { InboundHandlers } from "./create-inbound.js";
import { toRoutes } from "./create-routes.js";
import { silentLogger, type Logger } from "./log/logger.js";
import { ConnectionLimits } from "./net/connection-limits.js";
import { DescriptorHeadroom } from "./net/descriptor-headroom.js";
import { formatListenAddress, isUnix } from "./net/listen-address.js";
import { Gate } from "./parts/gate.js";
import type { ListeningPart } from "./parts/part.js";
import { RunningParts } from "./parts/running-parts.js";
import { StartError } from "./parts/start-error.js";
import type { ClientTimes } from "./proxy/client-times.js";
import type { Outbound } from "./proxy/outbound.js";
import { PacketRouter } from "./proxy/packet-router.js";
import { Router } from "./proxy/router.js";
import { Routes, type RoutesOptions } from "./proxy/routes.js";
import { ServedClients } from "./proxy/served-clients.js";
import { CounterStore } from "./stats/counter-store.js";
import { ConnectionTable } from "./track/connection-table.js";
import { CurrentTracker, type SinkTracker } from "./track/current-tracker.js";
import { IdleWatch } from "./track/idle-watch.js";
import { OnlineUsers } from "./track/online-users.js";
import { StatsTracker } from "./track/stats-tracker.js";

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

/**
 * Everything that a config describes, put together: inbounds, router, outbounds, the counters between them, and the
 * V2Ray API that reads these.
 *
 * `createApp()` makes one. It does nothing before {@link App.start}, which is called once: a stopped app is not started
 * again, another one is made. While it runs, {@link App.reload} gives it another config.
 */
export class App {
  /** The counters, to be read while the app runs and after it; empty where the config counts nothing. */
  readonly store: CounterStore;
  /** The connections that are open, to be listed and closed. */
  readonly connections: ConnectionTable;
  /** Which of the users that the config counts have connections, and from where. */
  readonly online: OnlineUsers;
  readonly #logger: Logger;
  readonly #routes: Routes;
  readonly #tracker: CurrentTracker;
  readonly #limits: ConnectionLimits;
  readonly #times: Mutable<ClientTimes>;
  readonly #idleWatch: IdleWatch;
  readonly #clients = new ServedClients();
  readonly #assembler: Assembler;
  #assembly: Assembly;
  readonly #running: RunningParts;
  /** The start, and each reload after the one before it. It never rejects. */
  #newestTurn: Promise<unknown> = Promise.resolve();
  #isRunning = false;
  #isStopped = false;

  /**
   * Puts the parts together. For programs that bring an API server of their own; all others call `createApp()`.
   *
   * @throws whatever `createApiServer` throws.
   */
  constructor(config: Config, { createApiServer, logger = silentLogger }: AppOptions) {
    this.#logger = logger;
    this.#running = new RunningParts(logger);
    this.store = new CounterStore({ maxCounters: config.experimental.v2ray_api.stats.max_counters });
    this.#tracker = new CurrentTracker(this.#createTracker(config));
    this.online = new OnlineUsers(knownOf(config));
    this.connections = new ConnectionTable({ watchers: [this.online] });
    const { hasRoom, release } = new DescriptorHeadroom({ logger });
    this.#times = timesOf(config);
    this.#idleWatch = new IdleWatch(this.connections, logger);
    this.#limits = new ConnectionLimits({ ...boundsOf(config), hasRoom, onReleased: release, logger });
    const handlers: InboundHandlers = {
      admit: this.#limits.admit,
      onRequest: async (request) => this.#clients.add(request, router.route(request)),
      onPackets: async (request) => this.#clients.add(request, packetRouter.route(request)),
    };
    this.#assembler = new Assembler({
      ...{ handlers, createApiServer, logger },
      ...{ times: this.#times, store: this.store, online: this.online },
      ...{ connections: this.connections, refusedConnections: this.#limits.refused },
    });
    this.#assembly = this.#assembler.assemble(config);
    this.#routes = new Routes(toRoutes(config, this.#assembly.outbounds));
    const { connections } = this;
    const routing = { routes: this.#routes, tracker: this.#tracker, connections, logger };
    const router = new Router(routing);
    const packetRouter = new PacketRouter(routing);
  }

  /**
   * Starts the outbounds, where there is something to start, the inbounds, and then, when there is something to read
   * from, the API.
   *
   * @returns where they listen.
   * @throws StartError if one of them cannot listen, or cannot read what it needs. Nothing runs then.
   */
  async start(): Promise<AppAddresses> {
    return this.#inTurn(async () => {
      try {
        await startOutbounds(this.#assembly.outbounds);
        await this.#running.open(partsOf(this.#assembly));
      } catch (error) {
        await this.#running.discard(partsOf(this.#assembly));
        // A connection is over a little later than its client's.
        await this.#clients.ended();
        throw error;
      }
      this.#idleWatch.watch(this.#assembly.config.experimental.timeouts.idle);
      this.#isRunning = true;
      return addressesOf(this.#assembly);
    });
  }

  /**
   * Gives a running app another config, which takes effect as a whole or not at all. One reload waits for the one before.
   *
   * - An inbound that is the same, its users aside, goes on listening. Connections by way of inbounds that are changed or
   *   gone are cut, and so are those of users who are gone or have another password, UDP included. All others stay.
   * - Rules, outbounds, limits, timeouts and lists of whom to count hold for the connections to come, and rules for the next
   *   packet of UDP clients. A connection that is open stays with its outbound, even if that is changed or gone, and is counted as before;
   *   one of a UDP client ends with the client's next packet if no rule leads to its outbound any more.
   * - Counters keep their values and stay listed.
   *
   * What the new config adds is opened first. Where it can only be opened in the place of something old, on the same port,
   * that is closed before, and opened again if it fails; its connections are cut then.
   *
   * The logger has no part in it: whatever `log` says is for whoever made that.
   *
   * @returns where the app listens now.
   * @throws StartError if a part cannot be started, or if the app does not run; and whatever `createApiServer` throws. All
   *   goes on as before then.
   */
  async reload(config: Config): Promise<AppAddresses> {
    return this.#inTurn(async () => {
      this.#assertRunning();
      const before = this.#assembly;
      const diff = diffConfigs(before.config, config);
      // Whoever comes by what is new waits until all is: no connection shall be routed by the old rules.
      const gate = new Gate();
      const after = this.#assembler.assemble(config, { before, diff, gate });
      const { routes, tracker, going } = await this.#prepare(before, after, diff);
      // From here on nothing can fail, and nothing comes in between.
      this.#assembly = after;
      this.#routes.replaceBy(routes);
      if (tracker !== undefined) this.#tracker.replaceBy(tracker);
      this.online.know(knownOf(config));
      this.store.maxCounters = config.experimental.v2ray_api.stats.max_counters;
      this.#limits.setBounds(boundsOf(config));
      Object.assign(this.#times, timesOf(config));
      if (diff.sections.includes(timeoutsSection)) {
        this.#idleWatch.watch(config.experimental.timeouts.idle);
      }
      this.#assembler.replaceUsers(after, diff);
      this.#clients.cut(diff.endsConnectionsOf);
      gate.open();
      const closings = going.map(async (part) => {
        const closed = this.#running.close(part);
        // Calls at an API may take their time to end.
        if (!before.api.parts.some((apiPart) => apiPart === part)) await closed;
      });
      await Promise.all(closings);
      this.#logger.info("configuration reloaded", summarizeDiff(diff));
      for (const { name, listen, address } of partsOf(after).filter(
        (part) => !partsOf(before).includes(part),
      )) {
        if (address === undefined || isUnix(listen) || listen.port !== 0) continue;
        // The config does not say where.
        this.#logger.info(`${name} listens on ${formatListenAddress(address)}`);
      }
      // What is in a file may have changed though its name has not.
      await Promise.all(partsOf(after).map(async (part) => part.refresh()));
      return addressesOf(after);
    });
  }

  /**
   * Stops to accept, lets connections and calls end, and cuts those still open when `cut` aborts. An app that is being
   * started or reloaded is so first. Resolves when everything has ended.
   *
   * @param cut - How long to wait: `AbortSignal.timeout(5_000)` for five seconds. Without an end of it, one client
   * that stays holds up the stop for ever.
   */
  async stop(cut: AbortSignal): Promise<void> {
    this.#isStopped = true;
    await this.#newestTurn;
    await this.#running.discard(partsOf(this.#assembly));
    await this.#running.closeAll(cut);
    // A connection is over a little later than its client's.
    await this.#clients.ended();
    this.#idleWatch.stop();
  }

  /** Stops at once, cutting what is open; for `await using`. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  #assertRunning(): void {
    if (!this.#isRunning || this.#isStopped) {
      throw new StartError("reload", new Error("the app does not run"));
    }
  }

  /** Runs the tasks one after the other. */
  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#newestTurn.then(task);
    this.#newestTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Does all of a reload that can fail. */
  async #prepare(before: Assembly, after: Assembly, { sections }: ConfigDiff): Promise<PreparedReload> {
    try {
      await startOutbounds(after.outbounds.filter((outbound) => !before.outbounds.includes(outbound)));
      const routes = toRoutes(after.config, after.outbounds);
      const tracker = sections.includes(statsSection) ? this.#createTracker(after.config) : undefined;
      const going = await this.#running.swap(partsOf(before), partsOf(after));
      return { routes, tracker, going };
    } catch (error) {
      await this.#running.discard(partsOf(after));
      this.#assembly = withoutClosed(before);
      throw error;
    }
  }

  /** Where nothing is counted, one that counts nobody. */
  #createTracker({ experimental }: Config): SinkTracker {
    const { stats } = experimental.v2ray_api;
    return new StatsTracker(this.store, stats.enabled ? { ...stats, logger: this.#logger } : {});
  }
}

/** What a reload has to put into the place of what there was. */
interface PreparedReload {
  readonly routes: RoutesOptions;
  /** Absent where the same are counted as before. */
  readonly tracker: SinkTracker | undefined;
  /** What listened before, shall no more, and still does. */
  readonly going: readonly ListeningPart[];
}

/** Where the config says whom to count. */
const statsSection = "experimental.v2ray_api.stats";
/** Where it says how long things may take. */
const timeoutsSection = "experimental.timeouts";

async function startOutbounds(outbounds: readonly Outbound[]): Promise<void> {
  for (const outbound of outbounds) {
    if (outbound.blocks) continue;
    try {
      await outbound.start?.();
    } catch (error) {
      throw new StartError(`outbound ${outbound.tag}`, error);
    }
  }
}
