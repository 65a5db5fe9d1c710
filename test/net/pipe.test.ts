import assert from "node:assert/strict";
import { Readable, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { readAll, readBytes, readSlowly, sha256 } from "../helpers/bytes.js";
import { createRandom, randomPieces } from "../helpers/random.js";
import { event, failed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A write under way: how often it has completed, and with what. */
interface Write {
  readonly results: readonly unknown[];
}

function write(stream: Duplex, chunk: Buffer | string): Write {
  const results: unknown[] = [];
  stream.write(chunk, (error) => results.push(error?.message ?? "done"));
  return { results };
}

/** Waits for both ends to close, and listens to no error: one that nobody handles would fail the test. */
async function bothClosed(left: Duplex, right: Duplex): Promise<void> {
  await until(() => left.closed && right.closed);
  await turns(3);
}

/** A pipe whose ends stay writable behind the other's end, or not: a property of every Duplex. */
function pipeWith({ allowHalfOpen }: { readonly allowHalfOpen: boolean }): readonly [Duplex, Duplex] {
  const ends = createPipe();
  for (const end of ends) end.allowHalfOpen = allowHalfOpen;
  return ends;
}

describe("createPipe", () => {
  it("carries every byte, both ways at once, to slow readers too", io, async () => {
    const [left, right] = createPipe();
    const toRight = createRandom(1).bytes(1_000_003);
    const toLeft = createRandom(2).bytes(700_001);
    const readings = [readSlowly(right, 20_000), readAll(left)];
    for (const piece of randomPieces(createRandom(3), toRight, 90_000)) left.write(piece);
    for (const piece of randomPieces(createRandom(4), toLeft, 90_000)) right.write(piece);
    left.end();
    right.end();
    assert.deepEqual((await Promise.all(readings)).map(sha256), [toRight, toLeft].map(sha256));
    await bothClosed(left, right);
    assert.deepEqual([left.errored, right.errored], [null, null]);
  });

  it("carries texts in their encoding", io, async () => {
    const [left, right] = createPipe();
    left.write("é€😀");
    left.write("ff00", "hex");
    left.end("é", "latin1");
    assert.equal((await readAll(right)).toString("hex"), "c3a9e282acf09f9880ff00e9");
  });

  it("carries corked writes in their order", io, async () => {
    const [left, right] = createPipe();
    left.cork();
    for (const text of ["one ", "", "two ", "three"]) left.write(text);
    left.uncork();
    left.end();
    assert.equal((await readAll(right)).toString(), "one two three");
  });

  it("works in a pipeline and with for await", io, async () => {
    const [left, right] = createPipe();
    const sent = pipeline(Readable.from(["one ", "two ", "three"]), left);
    right.end();
    left.resume();
    let text = "";
    for await (const chunk of right) text += String(chunk);
    await sent;
    assert.equal(text, "one two three");
  });

  it("is two ends of their own: each reads only what the other wrote", io, async () => {
    const [left, right] = createPipe();
    left.end("from left");
    right.end("from right");
    const texts = await Promise.all([readAll(left), readAll(right)]);
    assert.deepEqual(texts.map(String), ["from right", "from left"]);
  });
});

describe("a pipe's write", () => {
  it("does not complete as long as nobody reads", io, async () => {
    const [left] = createPipe();
    const first = write(left, "a");
    const second = write(left, "b");
    await turns(20);
    assert.deepEqual([first.results, second.results], [[], []]);
    assert.equal(left.writableLength, 2);
  });

  it("does not complete for a reader that is paused, and does when it goes on", io, async () => {
    const [left, right] = createPipe();
    let seen = "";
    right.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    right.pause();
    const { results } = write(left, "hello");
    await turns(20);
    assert.deepEqual([seen, results], ["", []]);
    right.resume();
    await until(() => results.length > 0);
    assert.deepEqual([seen, results], ["hello", ["done"]]);
  });

  it("does not complete when somebody only looks whether there is something", io, async () => {
    const [left, right] = createPipe();
    const { results } = write(left, "x");
    right.read(0);
    right.on("readable", () => undefined);
    await turns(20);
    assert.deepEqual(results, []);
    assert.equal(right.readableLength, 1);
  });

  it("completes when its last byte is read, and not before", io, async () => {
    const [left, right] = createPipe();
    const { results } = write(left, "hello");
    assert.equal(String(right.read(3)), "hel");
    await turns(20);
    assert.deepEqual(results, []);
    assert.equal(String(right.read(2)), "lo");
    await turns(20);
    assert.deepEqual(results, ["done"]);
  });

  it("completes once what it wrote was read, also if the reader asks for no more", io, async () => {
    const [left, right] = createPipe();
    const { results } = write(left, "hello");
    assert.equal((await readBytes(right, 5)).toString(), "hello");
    await turns(20);
    assert.deepEqual(results, ["done"]);
  });

  it("completes by itself, one after the other", io, async () => {
    const [left, right] = createPipe();
    const order: string[] = [];
    right.on("data", (chunk: Buffer) => order.push(`read ${chunk.toString()}`));
    for (const text of ["a", "b", "c"]) left.write(text, () => order.push(`done ${text}`));
    await until(() => order.length === 6);
    for (const text of ["a", "b", "c"]) {
      assert.ok(order.indexOf(`read ${text}`) < order.indexOf(`done ${text}`), order.join());
    }
    assert.deepEqual(
      order.filter((entry) => entry.startsWith("done")),
      ["done a", "done b", "done c"],
    );
  });

  it("of no bytes completes although nobody reads", io, async () => {
    const [left] = createPipe();
    const { results } = write(left, "");
    await until(() => results.length > 0);
    assert.deepEqual(results, ["done"]);
  });

  it("holds its writer back until it is read", io, async () => {
    const [left, right] = createPipe();
    const piece = Buffer.alloc(65_536);
    let writes = 1;
    while (left.write(piece)) writes++;
    assert.ok(writes <= 2, `${writes} writes of 64 KiB were welcome`);
    let drains = 0;
    left.on("drain", () => drains++);
    await turns(20);
    assert.deepEqual([drains, left.writableNeedDrain], [0, true]);
    // What is not read waits on the writer's side.
    assert.ok(right.readableLength <= piece.length, `${right.readableLength} bytes wait to be read`);
    right.resume();
    await until(() => drains > 0);
    assert.deepEqual([left.writableLength, left.writableNeedDrain], [0, false]);
  });

  it("in one direction does not wait for the other", io, async () => {
    const [left, right] = createPipe();
    const stuck = write(left, "nobody reads this");
    right.end("answer");
    assert.equal((await readAll(left)).toString(), "answer");
    assert.deepEqual(stuck.results, []);
  });
});

describe("a pipe's end", () => {
  it("is read behind the last bytes", io, async () => {
    const [left, right] = createPipe();
    left.end("last words");
    await turns(20);
    assert.equal(right.readableEnded, false);
    assert.equal((await readAll(right)).toString(), "last words");
    assert.equal(right.readableEnded, true);
  });

  it("is finished when everything before it was read", io, async () => {
    const [left, right] = createPipe();
    left.end("last words");
    await turns(20);
    assert.equal(left.writableFinished, false);
    right.resume();
    await event(left, "finish");
    assert.equal(left.writableFinished, true);
  });

  it("leaves the other direction open", io, async () => {
    const [left, right] = createPipe();
    left.end("question");
    assert.equal((await readAll(right)).toString(), "question");
    await turns(20);
    assert.deepEqual([right.writable, left.destroyed, right.destroyed], [true, false, false]);
    right.write("late ");
    await turns(20);
    right.end("answer");
    assert.equal((await readAll(left)).toString(), "late answer");
  });

  it("of both directions closes both ends, without an error", io, async () => {
    const [left, right] = createPipe();
    let failures = 0;
    for (const end of [left, right]) end.on("error", () => failures++);
    left.end("question");
    right.end("answer");
    await Promise.all([readAll(left), readAll(right)]);
    await bothClosed(left, right);
    assert.deepEqual([left.errored, right.errored, failures], [null, null, 0]);
  });

  it("is answered with an end by itself where half-open is not wanted", io, async () => {
    const [left, right] = pipeWith({ allowHalfOpen: false });
    left.end("question");
    await turns(20);
    assert.equal(right.writableEnded, false);
    assert.equal((await readAll(right)).toString(), "question");
    assert.equal((await readAll(left)).length, 0);
    await bothClosed(left, right);
    assert.deepEqual([left.errored, right.errored], [null, null]);
  });

  it("goes behind what was written where half-open is not wanted", io, async () => {
    const [left, right] = pipeWith({ allowHalfOpen: false });
    right.write("answer");
    left.end("question");
    assert.equal((await readAll(right)).toString(), "question");
    assert.equal((await readAll(left)).toString(), "answer");
    await bothClosed(left, right);
    assert.deepEqual([left.errored, right.errored], [null, null]);
  });
});

describe("a pipe's destroyed end", () => {
  /** Brings a pipe into a state; its left end is destroyed then. */
  type Prepare = (left: Duplex, right: Duplex) => Promise<void> | void;
  const states: readonly (readonly [state: string, prepare: Prepare])[] = [
    ["before anything was said", () => undefined],
    [
      "with bytes that the other did not read",
      (left) => {
        left.write("unread");
      },
    ],
    [
      "with bytes that it did not read itself",
      (_, right) => {
        right.write("unread");
      },
    ],
    [
      "with unread bytes on both ends, and more behind them",
      (left, right) => {
        for (const end of [left, right]) {
          end.write("unread");
          end.write(Buffer.alloc(100_000));
        }
      },
    ],
    [
      "while the other reads",
      async (left, right) => {
        right.on("data", () => undefined);
        left.write("read");
        await turns(5);
      },
    ],
    [
      "after its own end",
      async (left, right) => {
        left.end("question");
        await readAll(right);
      },
    ],
    [
      "after its own end that was not read",
      (left) => {
        left.end("question");
      },
    ],
    [
      "after the other's end",
      async (left, right) => {
        right.end("greeting");
        await readAll(left);
      },
    ],
    [
      "with the other's end unread",
      (_, right) => {
        right.end("greeting");
      },
    ],
    [
      "with both ends sent and unread",
      (left, right) => {
        left.end("question");
        right.end("answer");
      },
    ],
  ];
  const outcomes: readonly (readonly [title: string, error: Error | undefined, expected: object])[] = [
    ["fails the other with ECONNRESET", undefined, { code: "ECONNRESET", message: "read ECONNRESET" }],
    ["fails the other with its error", new Error("cable cut"), { code: undefined, message: "cable cut" }],
  ];
  for (const allowHalfOpen of [true, false]) {
    const kind = allowHalfOpen ? "half-open" : "not half-open";
    for (const [state, prepare] of states.filter(([name]) => allowHalfOpen || !name.startsWith("after"))) {
      for (const [title, error, expected] of outcomes) {
        it(`${title}, ${kind}, ${state}`, io, async () => {
          const [left, right] = pipeWith({ allowHalfOpen });
          await prepare(left, right);
          const own: Error[] = [];
          left.on("error", (cause) => own.push(cause));
          const failure = failed(right);
          left.destroy(error);
          assert.equal(right.destroyed, false);
          const seen = await failure;
          assert.deepEqual({ code: seen.code, message: seen.message }, expected);
          await bothClosed(left, right);
          assert.deepEqual(own, error === undefined ? [] : [error]);
        });
      }

      it(`needs nobody to listen to errors, ${kind}, ${state}`, io, async () => {
        for (const error of [undefined, new Error("cable cut")]) {
          const [left, right] = pipeWith({ allowHalfOpen });
          await prepare(left, right);
          left.destroy(error);
          await bothClosed(left, right);
        }
      });
    }
  }

  it("has taken what it read, and fails only what it did not", io, async () => {
    const [left, right] = createPipe();
    const outcomes: string[] = [];
    left.write("read", (error) =>
      outcomes.push(error === null || error === undefined ? "taken" : error.message),
    );
    left.write("unread", (error) => outcomes.push(error?.message ?? "taken"));
    right.once("data", () => right.destroy());
    await bothClosed(left, right);
    assert.deepEqual(outcomes, ["taken", "read ECONNRESET"]);
  });

  it("hands the very same error on", io, async () => {
    const [left, right] = createPipe();
    const error = new Error("cable cut");
    const failure = failed(right);
    left.destroy(error);
    assert.equal(await failure, error);
  });

  it("does nothing to the other once both directions have ended", io, async () => {
    const [left, right] = createPipe();
    let failures = 0;
    right.on("error", () => failures++);
    left.end("question");
    right.end("answer");
    await Promise.all([readAll(left), readAll(right)]);
    left.destroy();
    left.destroy(new Error("too late"));
    await bothClosed(left, right);
    assert.deepEqual([failures, right.errored], [0, null]);
  });

  it("lets the other close in order when that had said and heard everything", io, async () => {
    const [left, right] = createPipe();
    left.end("question");
    right.end();
    await readAll(right);
    await until(() => right.closed);
    // Its end is still unread here.
    left.destroy();
    await bothClosed(left, right);
    assert.deepEqual([left.errored, right.errored], [null, null]);
  });

  it("fails neither when both are destroyed at once", io, async () => {
    const [left, right] = createPipe();
    let failures = 0;
    for (const end of [left, right]) {
      end.on("error", () => failures++);
      end.write("unread");
    }
    left.destroy();
    right.destroy();
    await bothClosed(left, right);
    assert.equal(failures, 0);
  });

  const endings: readonly (readonly [title: string, error: Error | undefined, message: string])[] = [
    ["with ECONNRESET", undefined, "read ECONNRESET"],
    ["with its error", new Error("cable cut"), "cable cut"],
  ];
  for (const [title, error, message] of endings) {
    it(`fails its own writes under way ${title}, each once`, io, async () => {
      const [left, right] = createPipe();
      const first = write(left, "unread");
      const second = write(left, "behind it");
      left.destroy(error);
      await bothClosed(left, right);
      assert.deepEqual(first.results, [message]);
      assert.equal(second.results.length, 1);
      assert.notEqual(second.results[0], "done");
    });

    it(`fails the other's writes under way ${title}, each once`, io, async () => {
      const [left, right] = createPipe();
      const first = write(right, "unread");
      const second = write(right, "behind it");
      left.destroy(error);
      await bothClosed(left, right);
      assert.deepEqual(first.results, [message]);
      assert.equal(second.results.length, 1);
      assert.notEqual(second.results[0], "done");
    });
  }

  it("does not complete a write a second time that was read before", io, async () => {
    const [left, right] = createPipe();
    right.on("data", () => undefined);
    const { results } = write(left, "read");
    await until(() => results.length > 0);
    left.destroy();
    await bothClosed(left, right);
    assert.deepEqual(results, ["done"]);
  });

  it("fails a write of the other that comes right behind", io, async () => {
    const [left, right] = createPipe();
    right.destroy();
    const { results } = write(left, "too late");
    const failure = failed(left);
    assert.equal((await failure).code, "ECONNRESET");
    await bothClosed(left, right);
    assert.deepEqual(results, ["read ECONNRESET"]);
  });

  it("fails a write of no bytes that comes right behind", io, async () => {
    const [left, right] = createPipe();
    right.destroy();
    const { results } = write(left, "");
    await bothClosed(left, right);
    assert.deepEqual(results, ["read ECONNRESET"]);
  });

  it("fails an end of the other that comes right behind", io, async () => {
    const [left, right] = createPipe();
    right.destroy();
    const failure = failed(left);
    left.end();
    assert.equal((await failure).code, "ECONNRESET");
    await bothClosed(left, right);
  });

  it("fails what the other writes once it has closed, and does nothing more", io, async () => {
    const [left, right] = createPipe();
    right.destroy();
    await bothClosed(left, right);
    const { results } = write(left, "too late");
    left.end();
    await turns(5);
    assert.equal(results.length, 1);
    assert.notEqual(results[0], "done");
    assert.equal(right.readableLength, 0);
  });

  it("cuts what the other has not read", io, async () => {
    const [left, right] = createPipe();
    left.write("unread");
    left.destroy();
    await assert.rejects(readAll(right), { code: "ECONNRESET" });
  });
});
