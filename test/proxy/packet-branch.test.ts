import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PacketBranch } from "../../src/proxy/packet-branch.js";
import { MemoryPackets, type TestPacket } from "../helpers/memory-packets.js";
import { sendPacket } from "../helpers/packet-inbox.js";
import { turns } from "../helpers/timing.js";

const endpoint = { host: "192.0.2.1", port: 53 };

/** Takes what a branch receives. */
function collect(branch: PacketBranch): readonly TestPacket[] {
  const packets: TestPacket[] = [];
  branch.receive((payload, to) => packets.push({ payload, endpoint: to }));
  return packets;
}

describe("PacketBranch", () => {
  it("hands over what is delivered, as it comes", () => {
    const branch = new PacketBranch(new MemoryPackets());
    const packets = collect(branch);
    const payload = Buffer.from("hello");
    assert.equal(branch.deliver(payload, endpoint), true);
    assert.equal(packets[0]?.payload, payload);
    assert.equal(packets[0].endpoint, endpoint);
  });

  it("keeps what is delivered before somebody receives it, in order", () => {
    const branch = new PacketBranch(new MemoryPackets());
    for (const text of ["one", "", "three"]) assert.equal(branch.deliver(Buffer.from(text), endpoint), true);
    const packets = collect(branch);
    branch.deliver(Buffer.from("four"), endpoint);
    const texts = packets.map(({ payload }) => payload.toString());
    assert.deepEqual(texts, ["one", "", "three", "four"]);
  });

  it("has room for 256 packets until then, and always from then on", () => {
    const branch = new PacketBranch(new MemoryPackets());
    const rooms = Array.from({ length: 257 }, () => branch.deliver(Buffer.of(1), endpoint));
    assert.deepEqual([rooms.indexOf(false), rooms.length], [256, 257]);
    const packets = collect(branch);
    assert.equal(packets.length, 256);
    for (let packet = 0; packet < 300; packet++) assert.equal(branch.deliver(Buffer.of(1), endpoint), true);
    assert.equal(packets.length, 556);
  });

  it("has room for 1 MiB until then", () => {
    const branch = new PacketBranch(new MemoryPackets());
    const half = Buffer.alloc(512 * 1024);
    const payloads = [half, half, Buffer.of(1), Buffer.alloc(0)];
    const rooms = payloads.map((payload) => branch.deliver(payload, endpoint));
    assert.deepEqual(rooms, [true, true, false, true]);
  });

  it("sends to the client, and passes on what became of it", async () => {
    const client = new MemoryPackets();
    const branch = new PacketBranch(client);
    assert.equal(await sendPacket(branch, "hello", endpoint), undefined);
    assert.deepEqual(client.sent, [{ payload: Buffer.from("hello"), endpoint }]);
    client.failure = new Error("no");
    assert.equal(await sendPacket(branch, "hello", endpoint), client.failure);
    branch.send(Buffer.from("nobody asks"), endpoint);
  });

  it("does not receive from the client: others share it", () => {
    const client = new MemoryPackets();
    collect(new PacketBranch(client));
    collect(new PacketBranch(client));
    assert.equal(client.isReceived, false);
  });

  it("ends by itself, and leaves the client and every other branch alone", async () => {
    const client = new MemoryPackets();
    const [one, two] = [new PacketBranch(client), new PacketBranch(client)];
    let others = 0;
    for (const other of [client, two]) void other.closed.then(() => (others += 1));
    one.close();
    one.close();
    await one.closed;
    await turns(2);
    assert.equal(others, 0);
    two.send(Buffer.from("answer"), { host: "192.0.2.1", port: 53 });
    assert.equal(client.sent.length, 1);
  });
});
