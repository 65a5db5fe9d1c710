import type { LogConfig } from "../config/log.js";
import type { LogFields, Logger } from "../index.js";
import { createLogger, type ClosableLogger } from "./logger.js";

/** The log that a config describes, until another config takes its place. */
export class CurrentLog implements Logger {
  #logger: ClosableLogger;
  #config: LogConfig;

  /** @throws StartError if the log cannot be opened. */
  constructor(config: LogConfig) {
    this.#config = config;
    this.#logger = createLogger(config);
  }

  /**
   * Writes to the log of another config while a task runs, and from there on if that succeeds. A file is opened anew though
   * it has the same name: who rotates logs has moved the old one away.
   *
   * @throws StartError if that log cannot be opened; and what the task throws.
   */
  async switchTo<T>(config: LogConfig, task: () => Promise<T>): Promise<T> {
    const before = this.#logger;
    this.#logger = createLogger(config);
    try {
      const result = await task();
      before.close();
      this.#config = config;
      return result;
    } catch (error) {
      this.#logger.close();
      this.#logger = before;
      throw error;
    }
  }

  /**
   * Opens the log anew, as its own config says.
   *
   * @throws StartError if it cannot be opened; what is open stays in use.
   */
  reopen(): void {
    const before = this.#logger;
    this.#logger = createLogger(this.#config);
    before.close();
  }

  debug(message: string, fields?: LogFields): void {
    this.#logger.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#logger.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#logger.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#logger.error(message, fields);
  }
}
