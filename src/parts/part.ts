import type { Endpoint } from "../net/endpoint.js";
import { isUnix, type ListenAddress } from "../net/listen-address.js";
import type { OwnListeners } from "../net/own-listeners.js";
import type { Service } from "./service.js";
import { StartError } from "./start-error.js";

/** What a {@link Part} is, and how it is made. */
export interface PartOptions<
  Address extends ListenAddress = Endpoint,
  S extends Service<Address> = Service<Address>,
> {
  /** As messages name it: `inbound mixed-in`. */
  readonly name: string;
  /** Where its config wants it to listen. */
  readonly listen: Address;
  /** TCP and UDP have ports of their own. Default: TCP alone. */
  readonly networks?: readonly ("tcp" | "udp")[];
  /** Is told where it listens, as long as it does. Default: nobody is. */
  readonly ownListeners?: OwnListeners | undefined;
  /**
   * Makes it, to listen there. Called once at first, and once more each time that it is opened again: with where it listened,
   * the port among it that was chosen.
   */
  readonly create: (listen: Address) => S;
  /** How long what it has accepted may take to end when its place is needed, in milliseconds. Default: 0. */
  readonly graceMs?: number;
}

/** What can be done with a part wherever it listens. */
export interface ListeningPart {
  readonly name: string;
  readonly listen: ListenAddress;
  readonly networks: readonly ("tcp" | "udp")[];
  /** Where it listens, with the port that was chosen; `undefined` while it is not open. */
  readonly address: ListenAddress | undefined;
  open(): Promise<ListenAddress>;
  close(cut?: AbortSignal): Promise<void>;
  discard(): Promise<void>;
  refresh(): Promise<void>;
}

/** A part of an app that listens, and that can be closed and opened again. */
export class Part<
  Address extends ListenAddress = Endpoint,
  S extends Service<Address> = Service<Address>,
> implements ListeningPart {
  readonly name: string;
  readonly listen: Address;
  readonly networks: readonly ("tcp" | "udp")[];
  readonly #ownListeners: OwnListeners | undefined;
  #forget: readonly (() => void)[] = [];
  #create: (listen: Address) => S;
  readonly #graceMs: number;
  #service: S;
  #isUsed = false;
  #address: Address | undefined;
  #lastAddress: Address;

  /** @throws whatever `create` throws. */
  constructor({
    name,
    listen,
    networks = ["tcp"],
    ownListeners,
    create,
    graceMs = 0,
  }: PartOptions<Address, S>) {
    this.name = name;
    this.listen = listen;
    this.networks = networks;
    this.#ownListeners = ownListeners;
    this.#create = create;
    this.#graceMs = graceMs;
    this.#lastAddress = listen;
    this.#service = create(listen);
  }

  /** What listens: another one after each time that it was opened again. */
  get service(): S {
    return this.#service;
  }

  /** Where it listens, with the port that was chosen; `undefined` while it is not open. */
  get address(): Address | undefined {
    return this.#address;
  }

  /** From here on it is made so when it is opened again. What listens now stays. */
  createBy(create: (listen: Address) => S): void {
    this.#create = create;
  }

  /** @throws StartError; nothing of it is open then. */
  async open(): Promise<Address> {
    if (this.#isUsed) this.#service = this.#create(this.#lastAddress);
    this.#isUsed = true;
    try {
      const address = await this.#service.start();
      this.#forget = this.#tell(address);
      return (this.#address = this.#lastAddress = address);
    } catch (error) {
      await this.close(AbortSignal.abort());
      throw new StartError(this.name, error);
    }
  }

  /**
   * Stops to accept, and resolves when everything that was accepted has ended. Nothing happens to one that never opened.
   *
   * @param cut - Aborts when what is still open has to end. Default: after its time of grace.
   */
  async close(cut: AbortSignal = this.#endOfGrace()): Promise<void> {
    this.#address = undefined;
    try {
      if (this.#isUsed) await this.#service.stop(cut);
    } finally {
      for (const forget of this.#forget) forget();
    }
  }

  /** Stops the service of one that never opened, for what that may hold since it was made. Nothing happens to others. */
  async discard(): Promise<void> {
    if (this.#isUsed) return;
    this.#isUsed = true;
    await this.#service.stop(AbortSignal.abort());
  }

  /** Has it read again what it has from files, while it listens. */
  async refresh(): Promise<void> {
    if (this.#address !== undefined) await this.#service.refresh?.();
  }

  #tell(address: ListenAddress): readonly (() => void)[] {
    if (isUnix(address)) return [];
    return this.networks.flatMap((network) => this.#ownListeners?.add(network, address.port) ?? []);
  }

  #endOfGrace(): AbortSignal {
    return this.#graceMs === 0 ? AbortSignal.abort() : AbortSignal.timeout(this.#graceMs);
  }
}
