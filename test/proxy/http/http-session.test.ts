import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { HttpForwarder } from "../../../src/proxy/http/http-forwarder.js";
import { HttpSession } from "../../../src/proxy/http/http-session.js";
import { readAll } from "../../helpers/bytes.js";
import { socketPair } from "../../helpers/sockets.js";
import { closed, turns } from "../../helpers/timing.js";

const io = { timeout: 10_000 };

interface OpenSession {
  readonly session: HttpSession;
  /** The far end of the session's connection. */
  readonly far: Socket;
  readonly client: Socket;
}

async function openSession(t: TestContext): Promise<OpenSession> {
  const { client: far, server: client } = await socketPair(t);
  const forwarder = new HttpForwarder(() => assert.fail("there is nothing to forward"));
  return { session: new HttpSession(client, forwarder), far, client };
}

/** A task of the session that is over when the test says so. */
class Task {
  hasBegun = false;
  end = (): void => undefined;
  readonly run = async (): Promise<void> => {
    this.hasBegun = true;
    await new Promise<void>((resolve) => (this.end = resolve));
  };
}

function enqueueTasks(session: HttpSession, count: number): readonly Task[] {
  const tasks = Array.from({ length: count }, () => new Task());
  for (const task of tasks) session.enqueue(task.run);
  return tasks;
}

/** Ends the tasks one after the other. */
async function endAll(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    await turns(1);
    task.end();
  }
  await turns(1);
}

describe("HttpSession", () => {
  it("runs each task when the one before it is over", io, async (t) => {
    const { session } = await openSession(t);
    const [first, second, third] = enqueueTasks(session, 3);
    const begun = () => [first, second, third].map((task) => task?.hasBegun);
    await turns(3);
    assert.deepEqual(begun(), [true, false, false]);
    first?.end();
    await turns(3);
    assert.deepEqual(begun(), [true, true, false]);
    second?.end();
    await turns(3);
    assert.deepEqual(begun(), [true, true, true]);
  });

  it("is idle before the first task, between tasks and behind the last one", io, async (t) => {
    const { session } = await openSession(t);
    assert.ok(session.isIdle);
    for (let round = 0; round < 2; round++) {
      const tasks = enqueueTasks(session, 2);
      assert.ok(!session.isIdle);
      await turns(1);
      tasks[0]?.end();
      await turns(1);
      assert.ok(!session.isIdle);
      tasks[1]?.end();
      await turns(1);
      assert.ok(session.isIdle);
    }
  });

  it("runs a task that is over at once, too", io, async (t) => {
    const { session } = await openSession(t);
    const order: string[] = [];
    session.enqueue(() => void order.push("a"));
    session.enqueue(() => void order.push("b"));
    await turns(1);
    assert.deepEqual(order, ["a", "b"]);
    assert.ok(session.isIdle);
  });

  it("does not read a client with more than eight tasks, and reads it again with eight", io, async (t) => {
    const { session, client } = await openSession(t);
    client.resume();
    const tasks = enqueueTasks(session, 10);
    await turns(1);
    assert.ok(client.isPaused());
    await endAll(tasks.slice(0, 1));
    assert.ok(client.isPaused());
    await endAll(tasks.slice(1, 2));
    assert.ok(!client.isPaused());
    await endAll(tasks.slice(2));
    assert.ok(!client.isPaused());
  });

  it("reads a client with eight tasks", io, async (t) => {
    const { session, client } = await openSession(t);
    client.resume();
    const tasks = enqueueTasks(session, 8);
    await turns(1);
    assert.ok(!client.isPaused());
    await endAll(tasks);
  });

  it("is over if a task fails", io, async (t) => {
    const { session, client } = await openSession(t);
    session.enqueue(async () => Promise.reject(new Error("no")));
    await closed(client);
    assert.equal(client.errored?.message, "no");
    assert.ok(session.isIdle);
  });
});

describe("HttpSession's newest request", () => {
  const requestThatIs = (complete: boolean) => ({ complete }) as unknown as IncomingMessage;

  it("is broken when nothing more can be read, unless it is complete", io, async (t) => {
    for (const complete of [true, false]) {
      const { session } = await openSession(t);
      const broken = session.begin(requestThatIs(complete));
      assert.ok(!broken.aborted);
      session.breakOff();
      assert.equal(broken.aborted, !complete);
    }
  });

  it("is the only one that can break", io, async (t) => {
    const { session } = await openSession(t);
    session.breakOff();
    const [first, second] = [session.begin(requestThatIs(false)), session.begin(requestThatIs(false))];
    session.breakOff();
    assert.deepEqual([first.aborted, second.aborted], [false, true]);
  });
});

describe("HttpSession's end", () => {
  it("closes an idle connection at once", io, async (t) => {
    const { session, client } = await openSession(t);
    session.end();
    assert.ok(client.destroyed);
    await closed(client);
  });

  it("closes a connection behind its last answer", io, async (t) => {
    const { session, far, client } = await openSession(t);
    const tasks = enqueueTasks(session, 2);
    session.end();
    session.end();
    await turns(3);
    tasks[0]?.end();
    await turns(3);
    assert.ok(client.writable);
    client.write("last answer");
    tasks[1]?.end();
    assert.equal((await readAll(far)).toString(), "last answer");
    assert.ok(!client.writable);
  });

  it("is safe behind the end of the connection", io, async (t) => {
    const { session, client } = await openSession(t);
    const [task] = enqueueTasks(session, 1);
    await turns(1);
    client.destroy();
    session.end();
    task?.end();
    await turns(2);
    session.end();
    assert.ok(client.destroyed);
  });
});
