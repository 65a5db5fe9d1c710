import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { startCountedApp, type NamedCounter } from "../helpers/counted-app.js";
import { createRandom, type Random } from "../helpers/random.js";
import { turns } from "../helpers/timing.js";
import { randomPool, randomTransfer, runTransfer, type TransferResult } from "../helpers/transfer.js";

const io = { timeout: 120_000 };
const never = new AbortController().signal;
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

/** Resets counters in every turn of the event loop; one answer in a few is lost on the way and given back. */
class Poller {
  /** What its answers said, by counter. */
  readonly heard = new Map<NamedCounter, bigint>();
  resetCount = 0;
  giveBackCount = 0;
  readonly #counters: readonly NamedCounter[];
  readonly #random: Random;
  #timer: NodeJS.Immediate;

  constructor(counters: readonly NamedCounter[], random: Random) {
    this.#counters = counters;
    this.#random = random;
    this.#timer = setImmediate(this.#poll);
  }

  stop(): void {
    clearImmediate(this.#timer);
  }

  readonly #poll = (): void => {
    for (const named of this.#counters) {
      if (this.#random.below(3) === 0) continue;
      const bytes = named.counter.reset();
      this.resetCount++;
      if (this.#random.below(4) > 0) this.#hear(named, bytes);
      // Lost at once, or noticed only when others have polled and more bytes have come.
      else if (this.#random.below(2) === 0) this.#giveBack(named, bytes);
      else
        void turns(2).then(() => {
          this.#giveBack(named, bytes);
        });
    }
    this.#timer = setImmediate(this.#poll);
  };

  #hear(named: NamedCounter, bytes: bigint): void {
    this.heard.set(named, (this.heard.get(named) ?? 0n) + bytes);
  }

  #giveBack({ counter }: NamedCounter, bytes: bigint): void {
    counter.giveBack(bytes);
    if (bytes > 0n) this.giveBackCount++;
  }
}

function sum(results: readonly TransferResult[], bytesOf: (result: TransferResult) => number): bigint {
  return BigInt(results.reduce((bytes, result) => bytes + bytesOf(result), 0));
}

describe("resets under load", () => {
  for (const seed of [11, 12]) {
    it(`answer every byte once: seed ${seed}`, io, async (t) => {
      const random = createRandom(seed);
      const pool = randomPool(random);
      const { app, proxy, counters } = await startCountedApp(t, [alice, bob]);
      const plans = Array.from({ length: 40 }, () => randomTransfer(random, random.pick([alice, bob]), pool));
      const pollers = [1, 2, 3].map((offset) => new Poller(counters, createRandom(seed * 10 + offset)));
      t.after(() => {
        for (const poller of pollers) poller.stop();
      });

      const results = await Promise.all(plans.map(async (plan) => runTransfer(t, proxy, plan)));
      await app.stop(never);
      for (const poller of pollers) poller.stop();
      // The last answers may still be on their way back.
      await turns(5);

      for (const named of counters) {
        const own = results.filter(({ plan }) => named.scope !== "user" || plan.user.username === named.tag);
        const passed = sum(own, ({ client }) =>
          named.direction === "uplink" ? client.sentBytes : client.receivedBytes,
        );
        const heard = pollers.reduce((bytes, poller) => bytes + (poller.heard.get(named) ?? 0n), 0n);
        const name = `${named.scope} ${named.tag} ${named.direction}`;
        assert.equal(heard + named.counter.value, passed, name);
        assert.equal(named.counter.total, passed, name);
        assert.ok(heard > 0n, `${name} was never heard of`);
      }
      assert.ok(pollers.every(({ resetCount }) => resetCount > 100));
      assert.ok(pollers.some(({ giveBackCount }) => giveBackCount > 0));
    });
  }
});
