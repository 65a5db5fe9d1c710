import { ApiCore, type ApiCoreOptions } from "./api-core.js";
import type { ApiListener } from "./api-listener.js";
import type { ListenAddress } from "../net/listen-address.js";

/** What an {@link ApiServer} serves, to whom, and where. */
export interface ApiServerOptions extends ApiCoreOptions {
  /**
   * Where to listen: at an address or several. An empty host means every address of the machine, port 0 any free one; a path is
   * that of a Unix socket, which only this user can open. Without `secrets` or mutual TLS, whoever reaches it can read and
   * reset the counters, so it has to be loopback or a socket then.
   */
  readonly listen: ListenAddress | readonly ListenAddress[];
}

/**
 * The V2Ray API on one port or several, for gRPC, gRPC-Web and Connect clients: the StatsService under the names of V2Ray, Xray and
 * sing-box, over HTTP/2 and HTTP/1.1, in cleartext or under TLS. Beside it, gRPC's health service and server reflection, and
 * metrics for Prometheus.
 *
 * It is started once: a stopped one is not started again, another one is made.
 */
export class ApiServer {
  readonly #listeners: readonly ApiListener[];

  /** It does nothing before {@link start}. */
  constructor({ listen, ...options }: ApiServerOptions) {
    const core = new ApiCore(options);
    this.#listeners = toList(listen).map((address) => core.createListener(address));
  }

  /**
   * Starts to accept, everywhere or nowhere.
   *
   * @returns where it listens, in the order of `listen`, with the ports that were chosen where that names port 0.
   * @throws ListenError if it cannot listen somewhere, or must not: beyond loopback without a secret or mutual TLS. Error if
   *   what TLS needs cannot be read.
   */
  async start(): Promise<readonly ListenAddress[]> {
    const addresses: ListenAddress[] = [];
    try {
      for (const listener of this.#listeners) addresses.push(await listener.start());
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw error;
    }
    return addresses;
  }

  /** Reads the files of certificates again, which it does by itself when they change. What is wrong with them is logged. */
  async refresh(): Promise<void> {
    await Promise.all(this.#listeners.map(async (listener) => listener.refresh()));
  }

  /**
   * Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. Resolves when
   * everything has ended.
   *
   * @param cut - How long to wait: `AbortSignal.timeout(5_000)` for five seconds.
   */
  async stop(cut: AbortSignal): Promise<void> {
    await Promise.all(this.#listeners.map(async (listener) => listener.stop(cut)));
  }

  /** Stops at once, cutting what is open; for `await using`. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }
}

function toList(listen: ListenAddress | readonly ListenAddress[]): readonly ListenAddress[] {
  return "length" in listen ? listen : [listen];
}
