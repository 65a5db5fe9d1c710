import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { RelayBuffers } from "../../src/net/relay-buffers.js";
import { RelayFlow } from "../../src/net/relay-flow.js";
import type { FlowTally } from "../../src/net/relay-tally.js";
import { WaitWatch } from "../../src/net/wait-watch.js";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { createRandom } from "../helpers/random.js";
import { stalled } from "../helpers/relayed.js";
import { socketPair, tlsPair } from "../helpers/sockets.js";
import { Tally } from "../helpers/tally.js";
import { event, turns, until } from "../helpers/timing.js";

const io = { timeout: 20_000, skip: process.platform === "win32" };
/** Node reads no more at once. */
const wholeRead = 65_536;

interface Carried {
  readonly flow: RelayFlow;
  readonly buffers: RelayBuffers;
  readonly tally: FlowTally;
  readonly waits: WaitWatch;
  readonly read: Tally;
  readonly written: Tally;
  /** How often the reads were taken over. */
  readonly takenCount: () => number;
}

function carry(t: TestContext, from: Duplex, to: Duplex, busyReadBytes?: number): Carried {
  const buffers = new RelayBuffers(busyReadBytes === undefined ? {} : { busyReadBytes });
  const take = t.mock.method(buffers.reads, "take");
  const tally = { readBytes: 0, writtenBytes: 0 };
  const [read, written] = [new Tally(), new Tally()];
  const waits = new WaitWatch();
  const flow = new RelayFlow({
    ...{ from, to, tally, buffers, waits },
    readSinks: [read],
    writtenSinks: [written],
  });
  const takenCount = (): number => take.mock.calls.filter(({ result }) => result === true).length;
  return { flow, buffers, waits, tally, read, written, takenCount };
}

async function carried(t: TestContext, busyReadBytes?: number) {
  const [source, target] = [await socketPair(t), await socketPair(t)];
  const ends = { from: source.server, sender: source.client, to: target.server, receiver: target.client };
  return { ...ends, ...carry(t, ends.from, ends.to, busyReadBytes) };
}

describe("RelayFlow", () => {
  it("takes a direction for busy when a read brought as much as there can be", io, async (t) => {
    const { flow, sender, receiver, takenCount } = await carried(t);
    flow.start();
    const bytes = createRandom(1).bytes(1024 * 1024);
    const read = readBytes(receiver, bytes.length);
    sender.write(bytes);
    assert.equal(sha256(await read), sha256(bytes));
    while (takenCount() === 0) {
      const more = readBytes(receiver, bytes.length);
      sender.write(bytes);
      await more;
    }
    assert.equal(takenCount(), 1);
  });

  it("does nothing of the kind for little", io, async (t) => {
    const { flow, sender, receiver, takenCount, read, written } = await carried(t);
    flow.start();
    for (let round = 0; round < 20; round++) {
      const bytes = readBytes(receiver, wholeRead - 1);
      sender.write(Buffer.alloc(wholeRead - 1));
      await bytes;
    }
    assert.equal(takenCount(), 0);
    await written.reached(20 * (wholeRead - 1));
    assert.equal(read.bytes, 20 * (wholeRead - 1));
  });

  it("counts alike before and after", io, async (t) => {
    const { flow, sender, receiver, takenCount, read, written, tally } = await carried(t, 1);
    flow.start();
    let sum = 0;
    for (const length of [1, 10, 100_000, 3, 300_000]) {
      sum += length;
      const bytes = readBytes(receiver, length);
      sender.write(Buffer.alloc(length));
      await bytes;
      await written.reached(sum);
      assert.deepEqual([read.bytes, written.bytes], [sum, sum]);
      assert.deepEqual(tally, { readBytes: sum, writtenBytes: sum });
    }
    assert.equal(takenCount(), 1);
  });

  it("holds no buffer while nothing passes, whatever passed before", io, async (t) => {
    const { flow, sender, receiver, buffers, takenCount } = await carried(t, 1);
    flow.start();
    for (const length of [1_000_000, 65_536, 3_000_000]) {
      const bytes = readBytes(receiver, length);
      sender.write(Buffer.alloc(length));
      await bytes;
      await turns(10);
      assert.deepEqual([buffers.middle.lentCount, buffers.large.lentCount], [0, 0]);
    }
    assert.equal(takenCount(), 1);
  });

  it("leaves the bytes where somebody else listens to them", io, async (t) => {
    const { flow, from, sender, receiver, takenCount } = await carried(t, 1);
    let seen = 0;
    from.on("data", (chunk: Buffer) => (seen += chunk.length));
    flow.start();
    const read = readAll(receiver);
    sender.end(Buffer.alloc(500_000));
    assert.equal((await read).length, 500_000);
    assert.equal(seen, 500_000);
    assert.equal(takenCount(), 0);
  });

  it("takes them when nobody else listens any more", io, async (t) => {
    const { flow, from, sender, receiver, takenCount } = await carried(t, 1);
    const listener = (): void => undefined;
    from.on("data", listener);
    flow.start();
    for (const count of [0, 1]) {
      const bytes = readBytes(receiver, 10);
      sender.write(Buffer.alloc(10));
      await bytes;
      assert.equal(takenCount(), count);
      from.off("data", listener);
    }
  });

  it("leaves the bytes where somebody has put a push() of his own in their way", io, async (t) => {
    const { flow, from, sender, receiver, takenCount } = await carried(t, 1);
    const push = from.push.bind(from);
    let seen = 0;
    from.push = (chunk: Buffer | null) => {
      seen += chunk?.length ?? 0;
      return push(chunk);
    };
    flow.start();
    const read = readAll(receiver);
    sender.end(Buffer.alloc(500_000));
    assert.equal((await read).length, 500_000);
    assert.equal(seen, 500_000);
    assert.equal(takenCount(), 0);
  });

  it("goes past no TLS, on either side", io, async (t) => {
    const [plain, secured] = [await socketPair(t), await tlsPair(t)];
    for (const [from, sender, to, receiver] of [
      [plain.server, plain.client, secured.server, secured.client],
      [secured.server, secured.client, plain.server, plain.client],
    ] as const) {
      const { flow, takenCount } = carry(t, from, to, 1);
      flow.start();
      const bytes = createRandom(2).bytes(500_000);
      const read = readBytes(receiver, bytes.length);
      sender.write(bytes);
      assert.equal(sha256(await read), sha256(bytes));
      assert.equal(takenCount(), 0);
    }
  });

  it("has what it paused looked after, by the bytes and busy", io, async (t) => {
    for (const busyReadBytes of [Infinity, 1]) {
      const { flow, from, sender, receiver, waits, read } = await carried(t, busyReadBytes);
      const add = t.mock.method(waits, "add");
      flow.start();
      sender.write("little");
      assert.equal((await readBytes(receiver, 6)).toString(), "little");
      assert.equal(add.mock.callCount(), 0);
      assert.equal(flow.checkWait(), false);
      receiver.pause();
      sender.write(Buffer.alloc(40 * 1024 * 1024));
      await until(() => from.isPaused() && add.mock.callCount() > 0);
      assert.equal(add.mock.calls[0]?.arguments[0], flow);
      await stalled(read);
      const write = t.mock.method(from, "write");
      assert.equal(flow.checkWait(), true);
      assert.equal(write.mock.callCount(), 1);
      from.destroy();
      assert.equal(flow.checkWait(), false);
      assert.equal(write.mock.callCount(), 1);
    }
  });

  it("passes an end on behind what was read through buffers", io, async (t) => {
    const { flow, sender, receiver, to, takenCount } = await carried(t, 1);
    flow.start();
    const bytes = createRandom(3).bytes(5_000_000);
    const read = readAll(receiver);
    const finished = event(to, "finish");
    sender.end(bytes);
    assert.equal(sha256(await read), sha256(bytes));
    await finished;
    assert.equal(takenCount(), 1);
    flow.stop();
  });
});
