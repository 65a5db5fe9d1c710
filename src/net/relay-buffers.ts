import { BufferPool } from "./buffer-pool.js";
import { SocketReads } from "./socket-reads.js";

export interface RelayBuffersOptions {
  /**
   * How much one read must have brought for its direction to be taken for a busy one, in bytes. Default: 65,536, the most
   * that Node reads at once.
   */
  readonly busyReadBytes?: number;
  /** How many of the largest buffers there are, of 2 MiB. Default: 16. */
  readonly maxLargeCount?: number;
  /** How many of the middle ones there are, of 512 KiB. Default: 16. */
  readonly maxMiddleCount?: number;
}

/**
 * The buffers through which relays carry what is busy: the larger they are, the fewer system calls a byte costs.
 *
 * Every busy direction reads into the first one, which all of them share and which is emptied at once. Who fills it borrows
 * a larger one, until a read no longer fills that, or for as long as the other side does not take what is in it. So who is
 * idle holds nothing, whatever went through before. Whose reader stands still keeps what it has, and another one is lent in its
 * place, up to as many again. So all of them together hold 40 MiB by default, and up to 40 MiB more where many stand still;
 * beyond that others make do with the first one. What nobody borrows for two seconds is let go of.
 */
export class RelayBuffers {
  readonly reads = new SocketReads();
  readonly busyReadBytes: number;
  /**
   * Where a read goes when nobody knows how much there is. It has an odd length so that hardly anybody sends just as much,
   * and then nothing: that would be taken for the beginning of more.
   */
  readonly shared = Buffer.allocUnsafeSlow(65_521);
  readonly middle: BufferPool;
  readonly large: BufferPool;

  constructor({ busyReadBytes = 65_536, maxLargeCount = 16, maxMiddleCount = 16 }: RelayBuffersOptions = {}) {
    this.busyReadBytes = busyReadBytes;
    this.middle = new BufferPool({ bufferBytes: 512 * 1024, maxCount: maxMiddleCount });
    this.large = new BufferPool({ bufferBytes: 2 * 1024 * 1024, maxCount: maxLargeCount });
  }
}
