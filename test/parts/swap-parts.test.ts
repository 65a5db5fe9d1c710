import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListenAddress } from "../../src/net/listen-address.js";
import { Part } from "../../src/parts/part.js";
import { openParts, swapParts } from "../../src/parts/swap-parts.js";
import { FakePorts } from "../helpers/fake-service.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

/** Opens parts, and forgets that that happened. */
async function opened(ports: FakePorts, ...named: readonly (readonly [string, number])[]): Promise<Part[]> {
  const parts = named.map(([name, port]) => ports.part(name, port));
  await openParts(parts);
  ports.events.length = 0;
  return parts;
}

describe("openParts", () => {
  it("opens one after the other", async () => {
    const ports = new FakePorts();
    await openParts([ports.part("a", 1), ports.part("b", 2)]);
    assert.deepEqual(ports.events, ["open a", "open b"]);
  });

  it("closes those before the one that cannot be opened, and leaves alone those behind it", async () => {
    const ports = new FakePorts();
    const parts = [ports.part("a", 1), ports.part("b", 1), ports.part("c", 3)];
    await assert.rejects(openParts(parts), { name: "StartError", message: "b: 1 is taken" });
    assert.deepEqual(ports.events, ["open a", "cut a"]);
    assert.deepEqual([...ports.taken], []);
  });
});

describe("swapParts", () => {
  const logger = new RecordingLogger();

  it("opens what comes, and leaves open what is in nobody's way", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["a", 1], ["b", 2]);
    await swapParts({ going, coming: [ports.part("c", 3), ports.part("d", 0)], logger });
    assert.deepEqual(ports.events, ["open c", "open d"]);
  });

  it("closes what is in the way only when all others are open", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["old", 1], ["rest", 9]);
    await swapParts({ going, coming: [ports.part("new", 1), ports.part("other", 2)], logger });
    assert.deepEqual(ports.events, ["open other", "cut old", "open new"]);
    assert.equal(going[1]?.address?.port, 9);
  });

  it("lets parts exchange their ports", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["a", 1], ["b", 2]);
    await swapParts({ going, coming: [ports.part("a", 2), ports.part("b", 1)], logger });
    assert.deepEqual(Object.fromEntries(ports.taken), { 1: "b", 2: "a" });
  });

  it("knows the port that was chosen for what is in the way", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["old", 0]);
    await swapParts({ going, coming: [ports.part("new", 50_000)], logger });
    assert.deepEqual(ports.events, ["cut old", "open new"]);
  });

  it("does not take who listens on the same port of UDP for one that is in the way", async () => {
    const [old, next] = [new FakePorts(), new FakePorts()];
    const going = [
      old.part("old", 1, { networks: ["udp"] }),
      old.part("both", 2, { networks: ["tcp", "udp"] }),
    ];
    await openParts(going);
    old.events.length = 0;
    await swapParts({ going, coming: [next.part("new", 1), next.part("other", 2)], logger });
    assert.deepEqual(old.events, ["cut both"]);
  });

  it("closes first what is at the same Unix socket, and nothing for another one or a port", async () => {
    const events: string[] = [];
    const at = (name: string, listen: ListenAddress): Part<ListenAddress> =>
      new Part<ListenAddress>({
        name,
        listen,
        create: (place) => ({
          start: async () => {
            events.push(`open ${name}`);
            return Promise.resolve(place);
          },
          stop: async () => {
            events.push(`close ${name}`);
            return Promise.resolve();
          },
        }),
      });
    const going = [at("old", { path: "/a" }), at("rest", { path: "/b" }), at("port", { host: "", port: 1 })];
    await openParts(going);
    events.length = 0;
    await swapParts({ going, coming: [at("new", { path: "/a" }), at("other", { path: "/c" })], logger });
    assert.deepEqual(events, ["open other", "close old", "open new"]);
  });

  it("does not take any free port for one that somebody has", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["old", 0]);
    await swapParts({ going, coming: [ports.part("new", 0)], logger });
    assert.deepEqual(ports.events, ["open new"]);
  });

  it("has touched nothing old when something new cannot be opened", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["old", 1], ["rest", 9]);
    ports.taken.set(3, "somebody");
    const coming = [ports.part("new", 1), ports.part("a", 2), ports.part("b", 3)];
    await assert.rejects(swapParts({ going, coming, logger }), { message: "b: 3 is taken" });
    assert.deepEqual(ports.events, ["open a", "cut a"]);
    assert.deepEqual(
      going.map(({ address }) => address?.port),
      [1, 9],
    );
  });

  it("opens again what was in the way when its place cannot be taken, and closes what came", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["x", 1], ["y", 2], ["rest", 9]);
    ports.broken.add("new y");
    const coming = [ports.part("new x", 1), ports.part("new y", 2), ports.part("early", 3)];
    await assert.rejects(swapParts({ going, coming, logger }), { message: "new y: broken" });
    assert.deepEqual(ports.events, [
      ...["open early", "cut x", "cut y", "open new x"],
      ...["cut new x", "cut early", "open x", "open y"],
    ]);
    assert.deepEqual(
      going.map(({ address }) => address?.port),
      [1, 2, 9],
    );
    assert.deepEqual(logger.lines, []);
  });

  it("opens again what had any free port on the one that it had", async () => {
    const ports = new FakePorts();
    const going = await opened(ports, ["old", 0]);
    ports.broken.add("new");
    const swapped = swapParts({ going, coming: [ports.part("new", 50_000)], logger });
    await assert.rejects(swapped, { message: "new: broken" });
    assert.deepEqual(ports.events, ["cut old", "open old"]);
    assert.equal(going[0]?.address?.port, 50_000);
  });

  it("says which part cannot be opened again, and goes on with the others", async () => {
    const ports = new FakePorts();
    const recorder = new RecordingLogger();
    const going = await opened(ports, ["x", 1], ["y", 2]);
    for (const name of ["new x", "x"]) ports.broken.add(name);
    const coming = [ports.part("new x", 1), ports.part("new y", 2)];
    await assert.rejects(swapParts({ going, coming, logger: recorder }), { message: "new x: broken" });
    assert.deepEqual(recorder.messages("error"), ["cannot be opened again: StartError: x: broken"]);
    assert.deepEqual(
      going.map(({ address }) => address?.port),
      [undefined, 2],
    );
  });
});
