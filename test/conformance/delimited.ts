import type { Readable } from "node:stream";
import { readBytes } from "../helpers/bytes.js";

/** Reads a message as the conformance runner sends it: four bytes of length, then the bytes of the message. */
export async function readDelimited(stream: Readable): Promise<Buffer> {
  const head = await readBytes(stream, 4);
  return readBytes(stream, head.readUInt32BE());
}

/** A message as the conformance runner reads it. */
export function delimited(message: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(message.length);
  return Buffer.concat([head, message]);
}
