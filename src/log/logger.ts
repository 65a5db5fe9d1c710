/** Facts that belong to a log line, as JSON values. Never a password or a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Where the library writes what happened to it.
 *
 * The library prints nothing by itself: whoever creates a part of it hands over a logger, and without one it is
 * silent. Closed, reset and cancelled connections are normal and come at `debug`.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
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
