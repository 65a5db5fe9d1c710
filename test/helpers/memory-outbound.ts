import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { DialError } from "../../src/net/dial-error.js";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import type { OutboundDialOptions, PacketOutbound } from "../../src/proxy/outbound.js";
import { MemoryPackets } from "./memory-packets.js";

export interface MemoryOutboundOptions {
  readonly tag?: string;
  /** Whether a dial waits for the test's word. Default: it succeeds at once. */
  readonly holds?: boolean;
}

/** An outbound for packets whose far side is in the test's hands. */
export class MemoryOutbound implements PacketOutbound {
  readonly tag: string;
  readonly blocks = false;
  /** The far sides that were dialled. */
  readonly remotes: MemoryPackets[] = [];
  /** What the dials were given, in order. */
  readonly signals: (AbortSignal | undefined)[] = [];
  readonly #holds: boolean;
  readonly #held: { readonly open: () => void; readonly fail: (error: Error) => void }[] = [];
  readonly #dials = new EventEmitter();

  constructor({ tag = "out", holds = false }: MemoryOutboundOptions = {}) {
    this.tag = tag;
    this.#holds = holds;
  }

  /** The far side that was dialled first. */
  get remote(): MemoryPackets {
    const [remote] = this.remotes;
    assert.ok(remote !== undefined, "nothing was dialled");
    return remote;
  }

  async dialPackets({ signal }: OutboundDialOptions = {}): Promise<PacketConnection> {
    const remote = new MemoryPackets();
    this.remotes.push(remote);
    this.signals.push(signal);
    this.#dials.emit("dialled");
    if (!this.#holds) return Promise.resolve(remote);
    return new Promise((resolve, reject) => {
      const open = (): void => {
        resolve(remote);
      };
      signal?.addEventListener("abort", () => {
        reject(new DialError("aborted", "given up"));
      });
      this.#held.push({ open, fail: reject });
    });
  }

  /** Resolves when that many dials have begun. */
  async dialledCount(count: number): Promise<void> {
    while (this.signals.length < count) await once(this.#dials, "dialled");
  }

  /** Lets all dials that wait succeed. */
  open(): void {
    for (const { open } of this.#held.splice(0)) open();
  }

  /** Lets all dials that wait fail. */
  fail(error: Error): void {
    for (const { fail } of this.#held.splice(0)) fail(error);
  }
}
