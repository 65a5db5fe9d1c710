import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { statDirections, type StatScope } from "../../src/stats/stat-name.js";
import { startCountedApp, type CountedApp } from "../helpers/counted-app.js";
import { createRandom } from "../helpers/random.js";
import { turns } from "../helpers/timing.js";
import {
  digestOf,
  lengthOf,
  randomCutTransfer,
  randomPool,
  randomTransfer,
  runTransfer,
  type TransferResult,
} from "../helpers/transfer.js";

const io = { timeout: 120_000 };
const never = new AbortController().signal;
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };
const completeCount = 64;
const cutCount = 48;

/** How much less than what a client saw may be counted of a connection that was cut: the write in flight. */
const maxBehindBytes = 1024 * 1024;

function isIncomplete({ plan, client, destination }: TransferResult): boolean {
  const planned = lengthOf(plan.client.sends) + lengthOf(plan.destination.sends);
  return client.receivedBytes + destination.receivedBytes < planned;
}

function assertComplete({ plan, client, destination }: TransferResult): void {
  assert.deepEqual(client, {
    sentBytes: lengthOf(plan.client.sends),
    receivedBytes: lengthOf(plan.destination.sends),
    sha256: digestOf(plan.destination),
    sawEnd: true,
  });
  assert.deepEqual(destination, {
    sentBytes: lengthOf(plan.destination.sends),
    receivedBytes: lengthOf(plan.client.sends),
    sha256: digestOf(plan.client),
    sawEnd: true,
  });
}

function assertCut(counted: CountedApp, { plan, client, destination }: TransferResult): void {
  const [uplink, downlink] = [counted.totalOf(plan.user, "uplink"), counted.totalOf(plan.user, "downlink")];
  const facts = JSON.stringify({
    cut: plan.cut,
    protocol: plan.protocol,
    uplink,
    downlink,
    client,
    destination,
  });
  assert.ok(uplink <= client.sentBytes, `more up than the client sent: ${facts}`);
  assert.ok(uplink >= destination.receivedBytes, `less up than the destination got: ${facts}`);
  assert.ok(downlink <= destination.sentBytes, `more down than the destination sent: ${facts}`);
  assert.ok(downlink >= client.receivedBytes - maxBehindBytes, `far less down than the client got: ${facts}`);
}

function assertAgreement(counted: CountedApp, scopes: readonly StatScope[] = ["outbound", "user"]): void {
  for (const direction of statDirections) {
    const inbound = counted.total("inbound", direction);
    for (const scope of scopes) {
      assert.equal(counted.total(scope, direction), inbound, `${scope} and inbound ${direction}`);
    }
  }
}

/** Checks, while `work` goes on, what must hold at any moment: all scopes agree, and no total falls. */
async function watched<T>(counted: CountedApp, work: Promise<T>, scopes?: readonly StatScope[]): Promise<T> {
  const isOver = work.then(
    () => true,
    () => true,
  );
  let before = counted.counters.map(({ counter }) => counter.total);
  let lookCount = 0;
  do {
    assertAgreement(counted, scopes);
    const now = counted.counters.map(({ counter }) => counter.total);
    assert.ok(now.every((total, index) => total >= (before[index] ?? 0n)));
    before = now;
    lookCount++;
  } while (!(await Promise.race([isOver, turns(1).then(() => false)])));
  assert.ok(lookCount > 10, "nobody looked");
  return work;
}

function sum(results: readonly TransferResult[], bytesOf: (result: TransferResult) => number): number {
  return results.reduce((bytes, result) => bytes + bytesOf(result), 0);
}

describe("counted bytes", () => {
  for (const seed of [1, 2, 3]) {
    it(`are those that passed, to the byte: seed ${seed}`, io, async (t) => {
      const random = createRandom(seed);
      const pool = randomPool(random);
      const counted = await startCountedApp(t, [alice, bob]);
      const plans = Array.from({ length: completeCount }, () =>
        randomTransfer(random, random.pick([alice, bob]), pool),
      );
      const results = await watched(
        counted,
        Promise.all(plans.map(async (plan) => runTransfer(t, counted.proxy, plan))),
      );
      await counted.app.stop(never);

      results.forEach(assertComplete);
      assertAgreement(counted);
      for (const user of [alice, bob]) {
        const own = results.filter(({ plan }) => plan.user === user);
        assert.ok(own.length > completeCount / 4);
        assert.equal(
          counted.totalOf(user, "uplink"),
          sum(own, ({ client }) => client.sentBytes),
        );
        assert.equal(
          counted.totalOf(user, "uplink"),
          sum(own, ({ destination }) => destination.receivedBytes),
        );
        assert.equal(
          counted.totalOf(user, "downlink"),
          sum(own, ({ client }) => client.receivedBytes),
        );
        assert.equal(
          counted.totalOf(user, "downlink"),
          sum(own, ({ destination }) => destination.sentBytes),
        );
      }
    });

    it(`are those that passed, to the byte, over SOCKS4: seed ${seed}`, io, async (t) => {
      const random = createRandom(seed + 200);
      const pool = randomPool(random);
      // SOCKS4 is refused where there are users.
      const counted = await startCountedApp(t, []);
      const plans = Array.from({ length: completeCount }, () =>
        randomTransfer(random, alice, pool, ["socks4"]),
      );
      const transfers = Promise.all(plans.map(async (plan) => runTransfer(t, counted.proxy, plan)));
      const results = await watched(counted, transfers, ["outbound"]);
      await counted.app.stop(never);

      results.forEach(assertComplete);
      assertAgreement(counted, ["outbound"]);
      assert.equal(
        counted.total("inbound", "uplink"),
        sum(results, ({ client }) => client.sentBytes),
      );
      assert.equal(
        counted.total("inbound", "downlink"),
        sum(results, ({ client }) => client.receivedBytes),
      );
    });

    it(
      `are never more than passed, nor anybody else's, where transfers are cut: seed ${seed}`,
      io,
      async (t) => {
        const random = createRandom(seed + 100);
        const pool = randomPool(random);
        // A user for each transfer that is cut, so that each can be looked at by itself.
        const cutUsers = Array.from({ length: cutCount }, (_, index) => ({
          username: `cut-${index}`,
          password: "c",
        }));
        const counted = await startCountedApp(t, [alice, bob, ...cutUsers]);
        const complete = [alice, bob].flatMap((user) =>
          Array.from({ length: completeCount / 4 }, () => randomTransfer(random, user, pool)),
        );
        const cut = cutUsers.map((user) => randomCutTransfer(random, user, pool));
        const results = await watched(
          counted,
          Promise.all([...complete, ...cut].map(async (plan) => runTransfer(t, counted.proxy, plan))),
        );
        await counted.app.stop(never);

        assertAgreement(counted);
        const completed = results.filter(({ plan }) => plan.cut === undefined);
        completed.forEach(assertComplete);
        for (const user of [alice, bob]) {
          const own = completed.filter(({ plan }) => plan.user === user);
          assert.equal(
            counted.totalOf(user, "uplink"),
            sum(own, ({ client }) => client.sentBytes),
          );
          assert.equal(
            counted.totalOf(user, "downlink"),
            sum(own, ({ destination }) => destination.sentBytes),
          );
        }
        const cutShort = results.filter(({ plan }) => plan.cut !== undefined);
        for (const result of cutShort) assertCut(counted, result);
        assert.ok(cutShort.filter(isIncomplete).length > cutCount / 2, "hardly any transfer was cut");
      },
    );
  }
});
