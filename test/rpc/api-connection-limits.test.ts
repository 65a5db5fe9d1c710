import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { ConnectionEnds, Release } from "../../src/net/connection-limits.js";
import { admitTrusted, createApiConnectionLimits } from "../../src/rpc/api-connection-limits.js";
import type { ApiLimits } from "../../src/rpc/api-limits.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { TrustedConnections } from "../../src/rpc/trusted-connections.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { socketPair } from "../helpers/sockets.js";

const io = { timeout: 20_000 };

/** A connection that was let in, or not. */
interface Admitted {
  readonly socket: Socket;
  readonly release: Release | undefined;
}

function createLimits(t: TestContext, limits: ApiLimits, isSecret = true) {
  const trusted = new TrustedConnections();
  const refusals = createRefusalTally();
  const logger = new RecordingLogger();
  const asked = isSecret ? trusted : undefined;
  const { admit } = createApiConnectionLimits({ ...{ limits, refusals, logger }, trusted: asked });
  const open = async (host: string, admitOne = admit): Promise<Admitted> => {
    const { server: socket } = await socketPair(t);
    const ends: ConnectionEnds = {
      ...{ source: { host, port: 1 }, accepted: { host: "192.0.2.9", port: 2 } },
    };
    return { socket, release: admitOne(host, ends, socket) };
  };
  const openAll = async (...hosts: readonly string[]): Promise<Admitted[]> => {
    const opened: Admitted[] = [];
    for (const host of hosts) opened.push(await open(host));
    return opened;
  };
  return { trusted, refusals, logger, admit, open, openAll };
}

/** Which of them are open. */
function openOnes(connections: readonly Admitted[]): boolean[] {
  return connections.map(({ socket }) => !socket.destroyed);
}

const [stranger, other, caller] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

describe("limits of connections to an API with secrets", io, () => {
  it("end the oldest of the source where its limit is reached", async (t) => {
    const { open, openAll, refusals } = createLimits(t, { maxConnectionsPerSource: 2 });
    const before = await openAll(other, caller, other, caller);
    assert.ok((await open(caller)).release !== undefined);
    assert.deepEqual(openOnes(before), [true, false, true, true]);
    assert.deepEqual(refusals, { ...createRefusalTally(), displaced_connection: 1 });
  });

  it("end the oldest of the source that has most where the limit of all is reached", async (t) => {
    const { open, openAll, refusals } = createLimits(t, { maxConnections: 5 });
    const before = await openAll(other, other, stranger, stranger, stranger);
    assert.ok((await open(caller)).release !== undefined);
    assert.deepEqual(openOnes(before), [true, true, false, true, true]);
    assert.deepEqual(refusals, { ...createRefusalTally(), displaced_connection: 1 });
  });

  it("let one in that two sources would keep out, whose own limits and that of all they have reached", async (t) => {
    const limits = { maxConnections: 4, maxConnectionsPerSource: 2 };
    const { open, openAll, trusted } = createLimits(t, limits);
    const before = await openAll(stranger, stranger, other, other);
    const { socket, release } = await open(caller);
    assert.ok(release !== undefined);
    trusted.trust(socket);
    await openAll(stranger, other, stranger, other, stranger, other);
    assert.equal(socket.destroyed, false);
    assert.deepEqual(openOnes(before), [false, false, false, false]);
  });

  it("end none that is trusted, and let none in where all are", async (t) => {
    const { open, openAll, trusted, refusals } = createLimits(t, { maxConnectionsPerSource: 3 });
    const before = await openAll(caller, caller, caller);
    for (const index of [0, 1]) trusted.trust(before[index]?.socket ?? assert.fail());
    const next = await open(caller);
    assert.deepEqual(openOnes(before), [true, true, false]);
    trusted.trust(next.socket);
    assert.equal((await open(caller)).release, undefined);
    const counted = { displaced_connection: 1, too_many_connections_of_source: 1 };
    assert.deepEqual(refusals, { ...createRefusalTally(), ...counted });
  });

  it("end none that has closed", async (t) => {
    const { open, openAll, refusals } = createLimits(t, { maxConnections: 2 });
    const [first, second] = await openAll(stranger, stranger);
    first?.release?.();
    await open(caller);
    assert.equal(refusals.displaced_connection, 0);
    await open(caller);
    assert.equal(second?.socket.destroyed, true);
  });

  it("count one that was ended once, though it closes, too", async (t) => {
    const { openAll, refusals } = createLimits(t, { maxConnections: 2 });
    const opened = await openAll(stranger, stranger, stranger);
    opened[0]?.release?.();
    await openAll(stranger);
    assert.equal(refusals.displaced_connection, 2);
  });

  it("say so once", async (t) => {
    const { openAll, logger } = createLimits(t, { maxConnectionsPerSource: 2 });
    await openAll(...Array<string>(6).fill(stranger));
    assert.deepEqual(logger.messages("warn"), [
      "ending untrusted connections beyond 2 of one source; experimental.v2ray_api.limits.connections_per_source",
    ]);
  });

  it("can be told to trust all of a listener's", async (t) => {
    const { open, admit, trusted } = createLimits(t, { maxConnections: 2 });
    const admitAll = admitTrusted(admit, trusted);
    await open(stranger);
    const [first, second] = [await open(caller, admitAll), await open(caller, admitAll)];
    assert.equal((await open(stranger)).release, undefined);
    assert.deepEqual(openOnes([first, second]), [true, true]);
  });
});

describe("limits of connections to an API without secrets", io, () => {
  it("end none, and refuse who comes last", async (t) => {
    const { open, openAll, refusals } = createLimits(t, { maxConnectionsPerSource: 2 }, false);
    const before = await openAll(caller, caller);
    assert.equal((await open(caller)).release, undefined);
    assert.deepEqual(openOnes(before), [true, true]);
    assert.deepEqual(refusals, { ...createRefusalTally(), too_many_connections_of_source: 1 });
  });
});
