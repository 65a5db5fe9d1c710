import type { Message } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** Tag of `QueryStatsResponse.stat`, of `Stat.name`, and of `Stat.value`: number and wire type. */
const tags = { stat: 0x0a, name: 0x0a, value: 0x10 } as const;
/** Most bytes of a varint of 64 bits. */
const maxVarintLength = 10;

/**
 * The counters of an answer to QueryStats, encoded one by one as they are added, since to encode a hundred thousand of them
 * at once holds the event loop up for too long.
 *
 * protobuf-es writes them as they are: a field that it does not know. So this is of no use to an answer in JSON.
 */
export class StatList {
  #bytes = Buffer.allocUnsafe(4_096);
  #length = 0;

  /** One more. */
  add(name: string, value: bigint): void {
    const nameLength = Buffer.byteLength(name);
    const valueLength = value === 0n ? 0 : 1 + varintLength(value);
    const statLength = 1 + varintLength(BigInt(nameLength)) + nameLength + valueLength;
    this.#reserve(1 + maxVarintLength + statLength);
    this.#writeByte(tags.stat);
    this.#writeVarint(BigInt(statLength));
    this.#writeByte(tags.name);
    this.#writeVarint(BigInt(nameLength));
    this.#length += this.#bytes.write(name, this.#length);
    if (value === 0n) return;
    this.#writeByte(tags.value);
    this.#writeVarint(value);
  }

  /** As a field of a message: all but the first tag. */
  toUnknown(): NonNullable<Message["$unknown"]> {
    if (this.#length === 0) return [];
    return [{ no: 1, wireType: WireType.LengthDelimited, data: this.#bytes.subarray(1, this.#length) }];
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#bytes.length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #writeByte(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }

  #writeVarint(value: bigint): void {
    let rest = value;
    // Numbers are many times faster, and most values are small enough.
    for (; rest > Number.MAX_SAFE_INTEGER; rest >>= 7n) this.#writeByte(Number(rest & 0x7fn) | 0x80);
    let small = Number(rest);
    for (; small >= 0x80; small = Math.floor(small / 0x80)) this.#writeByte((small % 0x80) | 0x80);
    this.#writeByte(small);
  }
}

function varintLength(value: bigint): number {
  let length = 1;
  let rest = value;
  for (; rest > Number.MAX_SAFE_INTEGER; rest >>= 7n) length += 1;
  for (let small = Number(rest); small >= 0x80; small = Math.floor(small / 0x80)) length += 1;
  return length;
}
