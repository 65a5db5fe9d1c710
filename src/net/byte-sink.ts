/** Takes note of bytes that passed. A `Counter` is one. */
export interface ByteSink {
  /**
   * Called for each chunk, in the middle of the stream that is counted: it has to be quick, and must not throw.
   *
   * @param bytes - A whole number, 0 or more.
   */
  add(bytes: number): void;
}

/** Who is told of a connection's bytes, each direction by itself. */
export interface ConnectionSinks {
  /** Told of what came from the client, when it was read. */
  readonly uplink: readonly ByteSink[];
  /** Told of what went to the client, when the write succeeded. */
  readonly downlink: readonly ByteSink[];
}

/** Tells every sink of the same bytes. */
export function addToAll(sinks: readonly ByteSink[], bytes: number): void {
  for (const sink of sinks) sink.add(bytes);
}
