import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { BusyReads } from "../../src/net/busy-reads.js";
import { createPipe } from "../../src/net/pipe.js";
import { RelayBuffers, type RelayBuffersOptions } from "../../src/net/relay-buffers.js";
import type { ReadTaker } from "../../src/net/socket-reads.js";
import { readAll, sha256 } from "../helpers/bytes.js";
import { createRandom } from "../helpers/random.js";
import { socketPair, tlsPair } from "../helpers/sockets.js";
import { event, turns, until } from "../helpers/timing.js";

const io = { timeout: 20_000, skip: process.platform === "win32" };
const mebibyte = 1024 * 1024;

/** One direction from a sender's end to a receiver's, with all that it says. */
async function busy(t: TestContext, options: RelayBuffersOptions = {}) {
  const [source, target] = [await socketPair(t), await socketPair(t)];
  const buffers = new RelayBuffers(options);
  const [from, to] = [source.server, target.server];
  const reads: number[] = [];
  const flow = new BusyReads({
    ...{ from, to, buffers },
    onRead: (bytes) => reads.push(bytes),
    onPaused: () => undefined,
    onWritten: () => {
      flow.onWritten();
    },
  });
  from.on("end", () => {
    flow.finish();
    to.end();
  });
  return { flow, from, to, buffers, reads, sender: source.client, receiver: target.client };
}

function lentCounts({ middle, large }: RelayBuffers): number[] {
  return [middle.lentCount, large.lentCount];
}

/** Waits until the receiver's kernel has no room for more. */
async function untilWaiting(to: Socket): Promise<void> {
  for (let still = 0; still < 30;) {
    await turns(3);
    still = to.writableLength > 0 ? still + 1 : 0;
  }
}

describe("BusyReads", () => {
  it("carries every byte", io, async (t) => {
    const { flow, sender, receiver, reads, buffers } = await busy(t);
    assert.equal(flow.start(), true);
    const bytes = createRandom(1).bytes(8 * mebibyte + 13);
    const read = readAll(receiver);
    sender.end(bytes);
    assert.equal(sha256(await read), sha256(bytes));
    assert.equal(
      reads.reduce((sum, length) => sum + length, 0),
      bytes.length,
    );
    assert.deepEqual(lentCounts(buffers), [0, 0]);
  });

  it("keeps what it carries apart from what others carry, though they share a buffer", io, async (t) => {
    const buffers = new RelayBuffers();
    const flows = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const { from, to, ...flow } = await busy(t);
        const own = new BusyReads({
          ...{ from, to, buffers, onRead: () => undefined, onPaused: () => undefined },
          onWritten: () => {
            own.onWritten();
          },
        });
        assert.equal(own.start(), true);
        const bytes = createRandom(index).bytes(2 * mebibyte + index);
        return { ...flow, own, bytes, read: readAll(flow.receiver) };
      }),
    );
    for (const { sender, bytes } of flows) sender.end(bytes);
    for (const { own, read, bytes } of flows) {
      assert.equal(sha256(await read), sha256(bytes));
      own.stop();
    }
    assert.deepEqual(lentCounts(buffers), [0, 0]);
  });

  it("pauses while its bytes are not taken, and keeps one buffer for as long", io, async (t) => {
    const { flow, from, to, sender, receiver, buffers, reads } = await busy(t);
    flow.start();
    const bytes = createRandom(2).bytes(24 * mebibyte);
    sender.end(bytes);
    await untilWaiting(to);
    assert.equal(from.isPaused(), true);
    assert.ok(to.writableLength <= 256 * 1024);
    assert.ok(flow.heldBytes + to.writableLength <= 2 * mebibyte);
    assert.ok(buffers.middle.lentCount + buffers.large.lentCount <= 1);
    const { length } = reads;
    await turns(20);
    assert.equal(reads.length, length);
    assert.equal(sha256(await readAll(receiver)), sha256(bytes));
    assert.deepEqual(lentCounts(buffers), [0, 0]);
  });

  it("loses and mixes up nothing when somebody else resumes what it paused", io, async (t) => {
    const { flow, from, to, sender, receiver } = await busy(t);
    flow.start();
    const bytes = createRandom(3).bytes(24 * mebibyte);
    sender.end(bytes);
    await untilWaiting(to);
    const { heldBytes } = flow;
    while (flow.heldBytes < heldBytes + 200_000) {
      from.resume();
      await turns(2);
    }
    assert.equal(sha256(await readAll(receiver)), sha256(bytes));
  });

  it("hands everything on that it holds when nothing follows", io, async (t) => {
    const { flow, from, to, sender, receiver, buffers } = await busy(t);
    flow.start();
    const bytes = createRandom(4).bytes(12 * mebibyte);
    sender.end(bytes);
    await untilWaiting(to);
    const ended = event(from, "end");
    // As far as the end, past what is not written yet.
    const resuming = setInterval(() => from.resume());
    await ended;
    clearInterval(resuming);
    assert.equal(flow.heldBytes, 0);
    assert.equal(sha256(await readAll(receiver)), sha256(bytes));
    await until(() => lentCounts(buffers).every((count) => count === 0));
  });

  it("carries on without a buffer to borrow", io, async (t) => {
    const { flow, sender, receiver, reads, buffers } = await busy(t, { maxLargeCount: 0, maxMiddleCount: 0 });
    flow.start();
    const bytes = createRandom(5).bytes(8 * mebibyte);
    const read = readAll(receiver);
    sender.end(bytes);
    assert.equal(sha256(await read), sha256(bytes));
    assert.ok(Math.max(...reads) <= buffers.shared.length);
  });

  it("waits for what was written before it began", io, async (t) => {
    const { flow, from, to, sender, receiver, reads } = await busy(t);
    const early = createRandom(7).bytes(12 * mebibyte);
    to.write(early, () => {
      flow.onWritten();
    });
    sender.end("late");
    flow.start();
    assert.equal(from.isPaused(), true);
    await turns(20);
    assert.deepEqual(reads, []);
    assert.equal(sha256(await readAll(receiver)), sha256(Buffer.concat([early, Buffer.from("late")])));
  });

  it("gives back what it has when both sides are destroyed", io, async (t) => {
    const { flow, from, to, sender, buffers } = await busy(t);
    flow.start();
    sender.write(Buffer.alloc(24 * mebibyte));
    await untilWaiting(to);
    const closes = [event(from, "close"), event(to, "close")];
    from.destroy();
    to.destroy();
    await Promise.all(closes);
    flow.stop();
    flow.stop();
    assert.deepEqual(lentCounts(buffers), [0, 0]);
  });

  it("declines unless both sides are sockets", io, async (t) => {
    const { from, buffers } = await busy(t);
    const { server: secured } = await tlsPair(t);
    const [pipe] = createPipe();
    for (const other of [secured, pipe]) {
      for (const ends of [
        { from, to: other },
        { from: other, to: from },
      ]) {
        const flow = new BusyReads({
          ...{ ...ends, buffers },
          onRead: () => undefined,
          onPaused: () => undefined,
          onWritten: () => undefined,
        });
        assert.equal(flow.start(), false);
      }
    }
  });
});

describe("BusyReads, read by read", () => {
  const sharedBytes = new RelayBuffers().shared.length;
  const middleBytes = 512 * 1024;
  const largeBytes = 2 * mebibyte;
  const pieceBytes = 256 * 1024;

  /** A direction whose reads and writes happen when the test says so. Writes complete at once until they are held. */
  function driven(t: TestContext, options?: RelayBuffersOptions) {
    const buffers = new RelayBuffers(options);
    const held: (() => void)[] = [];
    const state = { isHolding: false };
    const written: Buffer[] = [];
    const from = new Duplex({ read: () => undefined });
    const to = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, callback) => {
        written.push(Buffer.from(chunk));
        if (state.isHolding) held.push(callback);
        else callback();
      },
    });
    let taker: ReadTaker | undefined;
    let next: Uint8Array = Buffer.alloc(0);
    t.mock.method(buffers.reads, "canTake", () => true);
    t.mock.method(buffers.reads, "take", (_from: Duplex, given: ReadTaker) => {
      taker = given;
      next = given.nextBuffer();
      return true;
    });
    const flow = new BusyReads({
      ...{ from, to, buffers, onRead: () => undefined, onPaused: () => undefined },
      onWritten: () => {
        flow.onWritten();
      },
    });
    assert.equal(flow.start(), true);
    return {
      ...{ flow, from, to, buffers, written, state },
      /** How large the buffer is that the next read goes to. */
      offered: () => next.length,
      /** Reads that much, or as much as there is room for. Returns what was read. */
      read: (length = next.length, value = 1) => {
        const bytes = Buffer.from(next.fill(value, 0, length).subarray(0, length));
        taker?.onRead(length, next);
        next = taker?.nextBuffer() ?? next;
        return bytes;
      },
      /** Lets the oldest write that is held complete. */
      complete: async () => {
        held.shift()?.();
        await turns(1);
      },
    };
  }

  it("reads into the buffer that all share, as long as that is not filled", (t) => {
    const { read, offered, buffers } = driven(t);
    for (const length of [1, 1_000, sharedBytes - 1]) {
      read(length);
      assert.equal(offered(), sharedBytes);
      assert.deepEqual(lentCounts(buffers), [0, 0]);
    }
  });

  it("borrows a larger buffer each time that one is filled, and gives it back when one is not", (t) => {
    const { read, offered, buffers, written } = driven(t);
    const bytes = [read()];
    assert.deepEqual([offered(), ...lentCounts(buffers)], [middleBytes, 1, 0]);
    bytes.push(read());
    assert.deepEqual([offered(), ...lentCounts(buffers)], [largeBytes, 0, 1]);
    bytes.push(read(), read());
    assert.deepEqual([offered(), ...lentCounts(buffers)], [largeBytes, 0, 1]);
    bytes.push(read(largeBytes - 1));
    assert.deepEqual([offered(), ...lentCounts(buffers)], [sharedBytes, 0, 0]);
    assert.equal(sha256(Buffer.concat(written)), sha256(Buffer.concat(bytes)));
  });

  it("borrows a large one at once where one was of use, until one was not", (t) => {
    const { read, offered } = driven(t);
    read();
    read();
    read(middleBytes + 1);
    read();
    assert.equal(offered(), largeBytes);
    read(middleBytes);
    read();
    assert.equal(offered(), middleBytes);
  });

  it("makes do with a smaller one where the larger ones are lent", (t) => {
    const withMiddle = driven(t, { maxLargeCount: 0 });
    withMiddle.read();
    withMiddle.read();
    assert.equal(withMiddle.offered(), middleBytes);
    const { read, offered, written } = driven(t, { maxLargeCount: 0, maxMiddleCount: 0 });
    const bytes = [read(), read()];
    assert.equal(offered(), sharedBytes);
    assert.equal(sha256(Buffer.concat(written)), sha256(Buffer.concat(bytes)));
  });

  it("writes in pieces, so that a count that waits for one to complete is not far behind", (t) => {
    const { read, written } = driven(t);
    read();
    read();
    read();
    assert.equal(Math.max(...written.map(({ length }) => length)), pieceBytes);
  });

  it("pauses at the first piece that is not taken at once, and writes the next when it is", async (t) => {
    const { read, offered, from, to, flow, buffers, state, complete, written } = driven(t);
    read();
    state.isHolding = true;
    const bytes = read();
    assert.equal(from.isPaused(), true);
    assert.deepEqual([to.writableLength, flow.heldBytes], [pieceBytes, middleBytes - pieceBytes]);
    assert.deepEqual([offered(), ...lentCounts(buffers)], [sharedBytes, 1, 0]);
    await complete();
    assert.deepEqual([to.writableLength, flow.heldBytes], [pieceBytes, 0]);
    assert.equal(from.isPaused(), true);
    await complete();
    assert.equal(from.isPaused(), false);
    assert.deepEqual(lentCounts(buffers), [0, 0]);
    assert.equal(sha256(Buffer.concat(written.slice(-2))), sha256(bytes));
  });

  it("keeps what is read while it is paused, in order, and lends it no buffer", async (t) => {
    const { read, flow, from, buffers, state, complete, written } = driven(t);
    state.isHolding = true;
    const bytes = [read(1_000, 1), read(sharedBytes, 2), read(10, 3)];
    assert.deepEqual([flow.heldBytes, ...lentCounts(buffers)], [sharedBytes + 10, 0, 0]);
    assert.equal(from.isPaused(), true);
    await complete();
    await complete();
    assert.equal(sha256(Buffer.concat(written)), sha256(Buffer.concat(bytes)));
    assert.equal(from.isPaused(), false);
  });

  /** Makes the flow wait, in the middle of a buffer that it borrowed. */
  function waiting(t: TestContext, options?: RelayBuffersOptions) {
    const flow = driven(t, options);
    flow.read();
    flow.state.isHolding = true;
    return { ...flow, bytes: flow.read() };
  }

  it("has its buffer written off in a wait that lasts, so that others can borrow one", async (t) => {
    const { flow, buffers, complete, written, bytes, from } = waiting(t);
    const writtenOffCounts = (): number[] => [buffers.middle.writtenOffCount, buffers.large.writtenOffCount];
    flow.checkWait();
    assert.deepEqual([...lentCounts(buffers), ...writtenOffCounts()], [1, 0, 0, 0]);
    for (let check = 0; check < 3; check++) {
      flow.checkWait();
      assert.deepEqual([...lentCounts(buffers), ...writtenOffCounts()], [0, 0, 1, 0]);
    }
    const others = Array.from({ length: 16 }, () => buffers.middle.take()?.fill(9));
    assert.equal(others.includes(undefined), false);
    await complete();
    await complete();
    assert.equal(sha256(Buffer.concat(written.slice(-2))), sha256(bytes));
    assert.equal(from.isPaused(), false);
    assert.deepEqual([...lentCounts(buffers), ...writtenOffCounts()], [16, 0, 0, 0]);
  });

  it("gives a buffer that was written off up when both sides are destroyed", (t) => {
    const { flow, buffers } = waiting(t);
    flow.checkWait();
    flow.checkWait();
    flow.stop();
    flow.stop();
    assert.deepEqual([...lentCounts(buffers), buffers.middle.writtenOffCount], [0, 0, 0]);
  });

  it("keeps its buffer where no more may be written off, until one may", (t) => {
    const { flow, buffers } = waiting(t, { maxMiddleCount: 2 });
    for (let other = 0; other < 2; other++) {
      buffers.middle.take();
      buffers.middle.writeOff();
    }
    assert.deepEqual([buffers.middle.lentCount, buffers.middle.writtenOffCount], [1, 2]);
    flow.checkWait();
    flow.checkWait();
    assert.deepEqual([buffers.middle.lentCount, buffers.middle.writtenOffCount], [1, 2]);
    buffers.middle.forget();
    flow.checkWait();
    assert.deepEqual([buffers.middle.lentCount, buffers.middle.writtenOffCount], [0, 2]);
  });

  it("borrows none after a wait that lasted, until its reader has taken a good deal", async (t) => {
    const { flow, read, offered, state, complete } = waiting(t);
    flow.checkWait();
    flow.checkWait();
    state.isHolding = false;
    await complete();
    let carried = 0;
    while (offered() === sharedBytes) carried += read().length;
    assert.ok(carried >= 16 * mebibyte);
    assert.ok(carried < 17 * mebibyte);
    assert.equal(offered(), middleBytes);
  });

  it("borrows again at once after waits that did not last", async (t) => {
    const { flow, read, offered, state, complete } = waiting(t);
    for (let wait = 0; wait < 3; wait++) {
      flow.checkWait();
      state.isHolding = false;
      await complete();
      flow.checkWait();
      read();
      assert.equal(offered(), middleBytes);
      state.isHolding = true;
      read();
    }
  });

  it("does not read over what is still being written", async (t) => {
    for (const length of [10, sharedBytes]) {
      const { read, buffers, state, to } = driven(t);
      const write = to.write.bind(to);
      const sources: Buffer[] = [];
      t.mock.method(to, "write", (chunk: Buffer, callback: () => void) => {
        sources.push(chunk);
        return write(chunk, callback);
      });
      state.isHolding = true;
      const bytes = read(length, 1);
      read(10, 2);
      // Another direction reads meanwhile.
      buffers.shared.fill(9);
      assert.deepEqual(sources.map(sha256), [sha256(bytes)]);
    }
    await turns(1);
  });

  it("holds on to no buffer that it gave back", (t) => {
    const { read, buffers, written } = driven(t);
    read();
    read(10);
    const lent = buffers.middle.take()?.fill(9);
    read(10, 5);
    read(sharedBytes, 6);
    assert.equal(written.length, 4);
    assert.deepEqual(lent, Buffer.alloc(middleBytes, 9));
  });
});
