import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { closeAfter } from "../helpers/sockets.js";
import { failOnUnhandled } from "../helpers/unhandled.js";
import { needsProcessStatus } from "./process-report.js";
import { carryOut, type Run, type RunResult } from "./run.js";
import type { Stage } from "./stage.js";
import { users } from "./users.js";

const io = { timeout: 30_000 };
const gigabyte = 1024 ** 3;

/** A run that does only that. */
function runOf(repeat: Run["repeat"], changes: Partial<Run> = {}): Run {
  return {
    ...{ name: "trial", amount: "one", repetitionCount: 1, descriptorCount: 10, timeoutMs: 20_000 },
    limits: { rssGrowthBytes: gigabyte, heapGrowthBytes: gigabyte, peakBytes: gigabyte },
    repeat,
    check: () => undefined,
    ...changes,
  };
}

/** What is broken in a run that is not waited for long. */
async function brokenIn(t: TestContext, run: Run): Promise<readonly string[]> {
  closeAfter(t);
  return textsOf(await carryOut(run, { settleMs: 100 }));
}

function textsOf({ facts }: RunResult): readonly string[] {
  return facts.filter(({ holds }) => !holds).map(({ text }) => text);
}

/** A tunnel to somebody who says nothing. */
async function openTunnel(stage: Stage) {
  const destination = await stage.listen(createServer({ allowHalfOpen: true }));
  return stage.openTunnel({ protocol: "socks5", destination, user: users.whole });
}

describe("an endurance run", needsProcessStatus, () => {
  failOnUnhandled();

  it("notices a connection that stays in the table, and its handles", io, async (t) => {
    const [broken = "", ...others] = await brokenIn(
      t,
      runOf(async (stage) => {
        await openTunnel(stage);
      }),
    );
    assert.match(
      broken,
      /^repetition 1: at rest afterwards: {"connectionCount":1,.*expected {"connectionCount":0/,
    );
    assert.deepEqual(others, []);
  });

  it("notices a connection that is in no table", io, async (t) => {
    const [broken = "", ...others] = await brokenIn(
      t,
      runOf(async (stage) => {
        await stage.connect();
      }),
    );
    assert.match(broken, /"TCPSocketWrap":1.*expected {"connectionCount":0,"descriptorCount":\d+,/);
    assert.deepEqual(others, []);
  });

  it("notices a process that grows, and what its own check finds", io, async (t) => {
    const limits = { rssGrowthBytes: -gigabyte, heapGrowthBytes: -gigabyte, peakBytes: -gigabyte };
    const check: Run["check"] = (facts) => {
      facts.equal("answer", 41, 42);
    };
    const run = runOf(async () => Promise.resolve(), { limits, repetitionCount: 2, check });
    const broken = await brokenIn(t, run);
    assert.deepEqual(
      broken.map((text) => text.replace(/: -?[\d,]+, expected.*/, "")),
      [
        ...["repetition 1: answer", "repetition 2: answer", "in the end: peak of the RSS above its start"],
        ...["in the end: growth of the RSS over the repetitions"],
        ...["in the end: growth of the heap over the repetitions"],
      ],
    );
  });

  it("fails when it takes too long, and closes what it opened", io, async (t) => {
    const run = runOf(
      async (stage) => {
        await openTunnel(stage);
        return new Promise(() => undefined);
      },
      { timeoutMs: 500 },
    );
    const [broken = "", ...others] = await brokenIn(t, run);
    assert.match(broken, /trial: not within 500 ms/);
    assert.deepEqual(others, []);
  });

  it("fails when the proxy's process ends", io, async (t) => {
    const run = runOf(async ({ proxy }) => {
      await proxy.stop();
    });
    const [broken = "", ...others] = await brokenIn(t, run);
    assert.match(broken, /channel closed/i);
    assert.deepEqual(others, []);
  });

  it(
    "fails when it may not have as many descriptors as it wants, and says how many that is",
    io,
    async (t) => {
      const run = runOf(async () => Promise.resolve(), { descriptorCount: 1e12 });
      const [broken = "", ...others] = await brokenIn(t, run);
      assert.match(broken, /trial wants 1000000000064 open files in a process, which may have \d+: raise/);
      assert.deepEqual(others, []);
    },
  );
});
