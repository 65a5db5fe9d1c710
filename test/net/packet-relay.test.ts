import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { countPacketConnection } from "../../src/net/counting-packet-connection.js";
import { PacketTally, relayPackets } from "../../src/net/packet-relay.js";
import { MemoryPackets, type TestPacket } from "../helpers/memory-packets.js";
import { createTallies } from "../helpers/tally.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 5_000 };
const here = { host: "192.0.2.1", port: 53 };
const there = { host: "a.test", port: 443 };

interface Relayed {
  readonly client: MemoryPackets;
  readonly remote: MemoryPackets;
  /** What the relay was told of, in order. */
  readonly dropped: (TestPacket & { readonly error: Error })[];
  /** Resolves when the relay is over. */
  readonly over: Promise<void>;
  readonly isOver: () => boolean;
}

/** Two connections with a relay between them, which is over after the test. */
function relayed(t: TestContext): Relayed {
  const [client, remote] = [new MemoryPackets(), new MemoryPackets()];
  const dropped: Relayed["dropped"] = [];
  let isOver = false;
  const over = relayPackets(client, remote, {
    onDropped: (error, payload, endpoint) => dropped.push({ error, payload, endpoint }),
  }).then(() => {
    isOver = true;
  });
  t.after(() => {
    client.close();
  });
  return { client, remote, dropped, over, isOver: () => isOver };
}

function packet(text: string, endpoint = here): TestPacket {
  return { payload: Buffer.from(text), endpoint };
}

describe("relayPackets", () => {
  it("passes packets on in both directions, in order, each with its other end", io, (t) => {
    const { client, remote, dropped } = relayed(t);
    client.deliver("question 1", here);
    client.deliver("question 2", there);
    remote.deliver("answer 2", there);
    client.deliver("", here);
    remote.deliver("answer 1", here);
    assert.deepEqual(remote.sent, [packet("question 1"), packet("question 2", there), packet("")]);
    assert.deepEqual(client.sent, [packet("answer 2", there), packet("answer 1")]);
    assert.deepEqual(dropped, []);
  });

  it("passes an answer on that comes at once, to a packet that waited to be received", io, async (t) => {
    const [client, remote] = [new MemoryPackets(), new MemoryPackets()];
    t.after(() => {
      client.close();
    });
    const receive = client.receive.bind(client);
    client.receive = (onPacket) => {
      receive(onPacket);
      client.deliver("question", here);
    };
    const send = remote.send.bind(remote);
    remote.send = (payload, endpoint, onSent) => {
      send(payload, endpoint, onSent);
      remote.deliver("answer", endpoint);
    };
    const over = relayPackets(client, remote, { onDropped: () => undefined });
    client.close();
    await over;
    assert.deepEqual([remote.sent, client.sent], [[packet("question")], [packet("answer")]]);
  });

  it("tells of a packet that was dropped, why and where it was to go, and goes on", io, (t) => {
    const { client, remote, dropped } = relayed(t);
    const [unreachable, tooLong] = [new Error("unreachable"), new Error("too long")];
    remote.failure = unreachable;
    client.deliver("lost", there);
    client.failure = tooLong;
    remote.deliver("also lost", here);
    assert.deepEqual(dropped, [
      { error: unreachable, ...packet("lost", there) },
      { error: tooLong, ...packet("also lost") },
    ]);
    client.failure = undefined;
    remote.failure = undefined;
    client.deliver("question", here);
    remote.deliver("answer", here);
    assert.deepEqual([remote.sent, client.sent], [[packet("question")], [packet("answer")]]);
    assert.equal(dropped.length, 2);
  });

  it("tells of a packet that is dropped later", io, (t) => {
    const { client, remote, dropped } = relayed(t);
    const fates: ((error?: Error) => void)[] = [];
    remote.send = (_payload, _endpoint, onSent) => fates.push(onSent ?? assert.fail("nobody asks"));
    for (const text of ["a", "b", "c"]) client.deliver(text, here);
    fates[2]?.();
    fates[1]?.(new Error("no address"));
    fates[0]?.();
    assert.deepEqual(dropped, [{ error: new Error("no address"), ...packet("b") }]);
  });

  for (const side of ["client", "remote"] as const) {
    it(`is over when the ${side} is, and ends the other side`, io, async (t) => {
      const sides = relayed(t);
      await turns(2);
      assert.equal(sides.isOver(), false);
      sides[side].close();
      await sides.over;
      await Promise.all([sides.client.closed, sides.remote.closed]);
    });

    it(`waits until the other side is over when the ${side} is`, io, async (t) => {
      const sides = relayed(t);
      const other = sides[side === "client" ? "remote" : "client"];
      const close = other.close.bind(other);
      let closeCount = 0;
      other.close = () => {
        closeCount++;
      };
      sides[side].close();
      await turns(2);
      assert.deepEqual([closeCount > 0, sides.isOver()], [true, false]);
      close();
      await sides.over;
    });
  }

  it("is over at once when one side was over before", io, async () => {
    const [client, remote] = [new MemoryPackets(), new MemoryPackets()];
    remote.close();
    await relayPackets(client, remote, { onDropped: () => assert.fail("nothing was sent") });
    await client.closed;
  });

  it("keeps its sums: what came from the client, and what was sent to it", io, async () => {
    const [client, remote, tally] = [new MemoryPackets(), new MemoryPackets(), new PacketTally()];
    const over = relayPackets(client, remote, { onDropped: () => undefined, tally });
    const moved = (): unknown => [tally.uplinkBytes, tally.downlinkBytes];
    assert.deepEqual(moved(), [0, 0]);
    client.deliver("12345", here);
    client.deliver("", here);
    assert.deepEqual(moved(), [5, 0]);
    remote.deliver("123", here);
    assert.deepEqual(moved(), [5, 3]);
    client.failure = new Error("dropped");
    remote.failure = client.failure;
    client.deliver("1", here);
    remote.deliver("1", here);
    assert.deepEqual(moved(), [6, 3]);
    client.close();
    await over;
    assert.deepEqual(moved(), [6, 3]);
  });

  it("has the sums that are counted on its client's side, and sends on no more", io, async () => {
    const [client, remote, tally] = [new MemoryPackets(), new MemoryPackets(), new PacketTally()];
    const { up, down, sinks } = createTallies();
    const counted = countPacketConnection(client, sinks);
    const over = relayPackets(counted, remote, { onDropped: () => undefined, tally });
    for (let bytes = 0; bytes < 50; bytes++) {
      client.failure = bytes % 7 === 0 ? new Error("dropped") : undefined;
      client.deliver(Buffer.alloc(bytes), there);
      remote.deliver(Buffer.alloc(2 * bytes), there);
    }
    client.close();
    await over;
    assert.deepEqual([up.bytes, down.bytes], [tally.uplinkBytes, tally.downlinkBytes]);
    assert.deepEqual([up.bytes, down.bytes], [sum(remote.sent), sum(client.sent)]);
    assert.deepEqual([up.bytes, down.bytes], [(49 * 50) / 2, 49 * 50 - 2 * 7 * ((7 * 8) / 2)]);
  });
});

function sum(packets: readonly TestPacket[]): number {
  return packets.reduce((bytes, { payload }) => bytes + payload.length, 0);
}
