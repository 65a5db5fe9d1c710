import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

/** Everything up to the end of the stream; fails if it fails, or closes before its end. Leaves the stream open. */
export async function readAll(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      resolve(Buffer.concat(chunks));
    });
    stream.on("close", () => {
      reject(new Error(`closed before its end, after ${Buffer.concat(chunks).length} bytes`));
    });
    if (stream.readableEnded) resolve(Buffer.alloc(0));
  });
}

/** Exactly that many bytes; what follows stays in the stream. Fails if the stream ends before. */
export async function readBytes(stream: Readable, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const onEnd = (): void => {
      reject(new Error(`ended before ${length} bytes had come`));
    };
    const onReadable = (): void => {
      while (held.length < length) {
        const chunk: unknown = stream.read();
        if (!Buffer.isBuffer(chunk)) return;
        held = Buffer.concat([held, chunk]);
      }
      stream.off("readable", onReadable);
      stream.off("end", onEnd);
      stream.off("close", onEnd);
      if (held.length > length) stream.unshift(held.subarray(length));
      resolve(held.subarray(0, length));
    };
    stream.on("readable", onReadable);
    stream.on("end", onEnd);
    stream.on("close", onEnd);
  });
}

/** Reads to the end as a slow reader does: one piece, then a few turns of the event loop, then the next. */
export async function readSlowly(stream: Readable, pieceBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let isWaiting = false;
    const readPiece = (): void => {
      isWaiting = false;
      const piece: unknown = stream.read(Math.min(pieceBytes, stream.readableLength) || undefined);
      if (!Buffer.isBuffer(piece)) return;
      chunks.push(piece);
      onReadable();
    };
    const onReadable = (): void => {
      if (isWaiting) return;
      isWaiting = true;
      setImmediate(() => setImmediate(readPiece));
    };
    stream.on("readable", onReadable);
    stream.on("error", reject);
    stream.on("end", () => {
      resolve(Buffer.concat(chunks));
    });
  });
}

/** A digest for comparing megabytes: a failed `deepEqual` of buffers prints them. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
