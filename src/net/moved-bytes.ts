/** How many bytes a connection has moved so far, each direction by itself. Both figures only grow. */
export interface MovedBytes {
  /** What was read from the client. */
  readonly uplinkBytes: number;
  /** What the client was sent, as far as the writes succeeded. */
  readonly downlinkBytes: number;
}
