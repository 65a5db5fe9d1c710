import { silentLogger, type Logger } from "../log/logger.js";
import { formatEndpoint, type Endpoint } from "../net/endpoint.js";

export interface LoopReportOptions {
  /** Tag of the inbound, for the log. */
  readonly inbound: string;
  readonly network: "tcp" | "udp";
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

/**
 * Says that an inbound refuses the app itself as a client. It warns once, since a circle comes again with each client; later
 * ones are there for who looks for them.
 */
export class LoopReport {
  readonly #options: LoopReportOptions;
  #hasWarned = false;

  constructor(options: LoopReportOptions) {
    this.#options = options;
  }

  /** Tells of a client that was refused. */
  add(source: Endpoint): void {
    const { inbound, network, logger = silentLogger } = this.#options;
    const level = this.#hasWarned ? "debug" : "warn";
    this.#hasWarned = true;
    logger[level]("loop refused: the inbound leads to itself", {
      ...{ inbound, network, source: formatEndpoint(source) },
    });
  }
}
