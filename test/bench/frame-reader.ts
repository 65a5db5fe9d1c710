/** Called with each frame; of DATA there is the length alone. The payload is to be read at once. */
export type OnFrame = (
  type: number,
  flags: number,
  streamId: number,
  length: number,
  payload: Buffer,
) => void;

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
} as const;
export const endStreamFlag = 0x1;
export const endHeadersFlag = 0x4;
export const ackFlag = 0x1;

const headBytes = 9;
const nothing = Buffer.alloc(0);

/** Reads the frames of an HTTP/2 connection (RFC 9113 §4.1), for a load that has no use for what is in them. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #rest = nothing;
  #skipBytes = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Takes what has arrived, in a buffer that may be used again. */
  read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    for (;;) {
      const skipped = Math.min(this.#skipBytes, bytes.length - offset);
      this.#skipBytes -= skipped;
      offset += skipped;
      if (bytes.length - offset < headBytes) break;
      const length = bytes.readUIntBE(offset, 3);
      const type = bytes[offset + 3] ?? 0;
      const isData = type === frameTypes.data;
      if (!isData && bytes.length - offset - headBytes < length) break;
      const flags = bytes[offset + 4] ?? 0;
      const streamId = bytes.readUInt32BE(offset + 5);
      offset += headBytes;
      if (isData) this.#skipBytes = length;
      else offset += length;
      this.#onFrame(
        type,
        flags,
        streamId,
        length,
        isData ? nothing : bytes.subarray(offset - length, offset),
      );
    }
    this.#rest = offset === bytes.length ? nothing : Buffer.from(bytes.subarray(offset));
  }
}
