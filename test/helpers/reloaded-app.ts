import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import type { App } from "../../src/app.js";
import type { AppAddresses } from "../../src/assembly.js";
import { toConfig } from "../../src/config/to-config.js";
import { createApp } from "../../src/index.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { readBytes } from "./bytes.js";
import { startDestination, type Destination } from "./destination.js";
import { firstPort } from "./first-port.js";
import { openTunnel, type TunnelProtocol } from "./proxy.js";
import { RecordingLogger } from "./recording-logger.js";
import { closeAfter } from "./sockets.js";
import { failed } from "./timing.js";

/** An app that runs and can be given other configs, and a destination behind it. */
export class ReloadedApp {
  readonly app: App;
  readonly logger: RecordingLogger;
  readonly destination: Destination;
  addresses: AppAddresses;
  readonly #t: TestContext;

  constructor(
    t: TestContext,
    app: App,
    logger: RecordingLogger,
    destination: Destination,
    addresses: AppAddresses,
  ) {
    this.#t = t;
    this.app = app;
    this.logger = logger;
    this.destination = destination;
    this.addresses = addresses;
  }

  /** Where an inbound listens, by the last config that was not refused. */
  proxyOf(wanted: string): Endpoint {
    const found = this.addresses.inbounds.find(({ tag }) => tag === wanted);
    return found?.address ?? assert.fail(`there is no inbound ${wanted}`);
  }

  /** Where the API listens: `127.0.0.1:PORT`. */
  get api(): string {
    return `127.0.0.1:${firstPort(this.addresses.api)}`;
  }

  async reload(config: object): Promise<void> {
    this.addresses = await this.app.reload(toConfig(config));
  }

  /** A tunnel that stands, by way of an inbound. */
  async open(inbound: string, user?: User, protocol: TunnelProtocol = "socks5"): Promise<Tunnel> {
    const options = { protocol, proxy: this.proxyOf(inbound), destination: this.destination.endpoint, user };
    const client = await openTunnel(this.#t, options);
    return new Tunnel(client, await this.destination.accept());
  }

  /** The log line of the newest reload that took effect. */
  get reported(): object | undefined {
    return this.logger.lines.findLast(({ message }) => message === "configuration reloaded")?.fields;
  }
}

/** Both ends of a connection through a proxy. */
export class Tunnel {
  readonly client: Socket;
  readonly remote: Socket;
  readonly #failures: Promise<(string | undefined)[]>;

  constructor(client: Socket, remote: Socket) {
    this.client = client;
    this.remote = remote;
    this.#failures = Promise.all([client, remote].map(async (end) => (await failed(end)).code));
  }

  /** Bytes pass, both ways. */
  async assertAlive(): Promise<void> {
    this.client.write("ping");
    assert.equal((await readBytes(this.remote, 4)).toString(), "ping");
    this.remote.write("pong!");
    assert.equal((await readBytes(this.client, 5)).toString(), "pong!");
  }

  /** Waits until both ends know that it was cut. */
  async assertCut(): Promise<void> {
    this.client.resume();
    this.remote.resume();
    assert.deepEqual(await this.#failures, ["ECONNRESET", "ECONNRESET"]);
  }
}

/** Starts an app, with its API; it is cut after the test. */
export async function startReloadedApp(t: TestContext, config: object): Promise<ReloadedApp> {
  const destination = await startDestination(t);
  const logger = new RecordingLogger();
  const app = createApp(toConfig(config), { logger });
  closeAfter(t, app);
  return new ReloadedApp(t, app, logger, destination, await app.start());
}
