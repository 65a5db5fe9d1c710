import type { MovedBytes } from "./moved-bytes.js";

/** The running sums of one direction, which its flow cannot do without: they are its state, kept where others can read. */
export interface FlowTally {
  /** Read from where the bytes come from, and handed on. */
  readBytes: number;
  /** Of these, what the writes that succeeded took away. */
  writtenBytes: number;
}

/**
 * What a relay has moved so far, to be read by whoever hands it in: a list of the open connections, for one. The sums are
 * those that the relay tells its sinks, at the same moments, and cost it nothing more.
 */
export class RelayTally implements MovedBytes {
  /** For the relay to write to. */
  readonly up: FlowTally = { readBytes: 0, writtenBytes: 0 };
  /** For the relay to write to. */
  readonly down: FlowTally = { readBytes: 0, writtenBytes: 0 };

  get uplinkBytes(): number {
    return this.up.readBytes;
  }

  get downlinkBytes(): number {
    return this.down.writtenBytes;
  }
}
