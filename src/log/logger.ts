/** Facts that belong to a log line, as JSON values. Never a password or a secret. What is `undefined` is not known. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Where the library writes what happened to it.
 *
 * The library prints nothing by itself: whoever creates a part of it hands over a logger, and without one it is
 * silent. Resets and cancellations are normal and come at `debug`.
 */
export interface Logger {
  /** What is normal and of interest only to whoever looks for something: clients that fail, go away or are refused. */
  debug(message: string, fields?: LogFields): void;
  /** One line for each routed connection at its end, with its facts in the fields. */
  info(message: string, fields?: LogFields): void;
  /** Something failed that should not, and the work goes on: a connection that could not be accepted, a call. */
  warn(message: string, fields?: LogFields): void;
  /** A defect: something failed in a way that is not foreseen. The connection or call is given up. */
  error(message: string, fields?: LogFields): void;
}

/** A logger that drops every line: the default everywhere. */
export const silentLogger: Logger = {
  debug: drop,
  info: drop,
  warn: drop,
  error: drop,
};

function drop(): void {
  // Silence is the point.
}
