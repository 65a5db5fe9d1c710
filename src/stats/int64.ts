/** Where the halves of a 64-bit number lie in memory, as this machine has them. */
const [lowHalf, highHalf] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0];

/**
 * A whole number from 0 to 2^63 − 1 in two halves, to be used again and again: whoever goes through 100,000 counters makes no
 * bigint for each, which take longer to make and to collect than all that is done with them.
 */
export class Int64 {
  low = 0;
  high = 0;

  static of(value: bigint): Int64 {
    const made = new Int64();
    made.low = Number(value & 0xffff_ffffn);
    made.high = Number(value >> 32n);
    return made;
  }

  get isZero(): boolean {
    return this.low === 0 && this.high === 0;
  }

  get value(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Becomes the number at one place of an array less the one at another, which is not larger. */
  setDifference(halves: Uint32Array, place: number, lessPlace: number): void {
    const low = (halves[2 * place + lowHalf] ?? 0) - (halves[2 * lessPlace + lowHalf] ?? 0);
    const high = (halves[2 * place + highHalf] ?? 0) - (halves[2 * lessPlace + highHalf] ?? 0);
    this.low = low >>> 0;
    this.high = low < 0 ? high - 1 : high;
  }
}
