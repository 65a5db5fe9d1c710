import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { OwnListeners } from "../../src/net/own-listeners.js";
import { Part } from "../../src/parts/part.js";
import type { Service } from "../../src/parts/service.js";
import { FakePorts } from "../helpers/fake-service.js";

const idle: Service = {
  start: async () => Promise.resolve({ host: "", port: 1 }),
  stop: async () => Promise.resolve(),
};

describe("Part", () => {
  it("makes its service at once, and opens it when it is told to", async () => {
    let madeCount = 0;
    const create = () => ({ ...idle, number: ++madeCount });
    const part = new Part({ name: "one", listen: { host: "", port: 1 }, create });
    assert.equal(part.service.number, 1);
    assert.equal(part.address, undefined);
    assert.deepEqual(await part.open(), { host: "", port: 1 });
    assert.deepEqual(part.address, { host: "", port: 1 });
    assert.equal(madeCount, 1);
  });

  it("throws what its service cannot be made for", () => {
    const create = () => {
      throw new TypeError("not included");
    };
    assert.throws(() => new Part({ name: "one", listen: { host: "", port: 1 }, create }), /not included/);
  });

  it("knows the port that was chosen for it", async () => {
    const part = new FakePorts().part("one", 0);
    await part.open();
    assert.equal(part.address?.port, 50_000);
    assert.equal(part.listen.port, 0);
  });

  it("is known as a listener of ours as long as it listens, on each of its networks", async () => {
    const ownListeners = new OwnListeners();
    const networks = ["tcp", "udp"] as const;
    const part = new FakePorts().part("one", 0, { networks, ownListeners });
    const known = () =>
      networks.map((network) => ownListeners.has(network, { host: "127.0.0.1", port: 50_000 }));
    assert.deepEqual(known(), [false, false]);
    await part.open();
    assert.deepEqual(known(), [true, true]);
    await part.close();
    assert.deepEqual(known(), [false, false]);
    await part.open();
    assert.deepEqual(known(), [true, true]);
    await part.close();
    await part.close();
    assert.deepEqual(known(), [false, false]);
  });

  it("is known as a listener of ours until it has stopped, even if that fails", async () => {
    const ownListeners = new OwnListeners();
    let fail: (error: Error) => void = () => undefined;
    const stopping = new Promise<void>((_, reject) => (fail = reject));
    const create = () => ({ ...idle, stop: async () => stopping });
    const part = new Part({ name: "one", listen: { host: "", port: 1 }, ownListeners, create });
    await part.open();
    const closing = part.close();
    assert.ok(ownListeners.has("tcp", { host: "::1", port: 1 }));
    fail(new Error("broken"));
    await assert.rejects(closing, /broken/);
    assert.equal(ownListeners.has("tcp", { host: "::1", port: 1 }), false);
  });

  it("is another service when it is opened again", async () => {
    const ports = new FakePorts();
    const part = ports.part("one", 1);
    const { service } = part;
    await part.open();
    assert.equal(part.service, service);
    await part.close();
    assert.equal(part.address, undefined);
    await part.open();
    assert.notEqual(part.service, service);
    assert.deepEqual(ports.events, ["open one", "cut one", "open one"]);
  });

  it("is opened again where it listened, whichever port it took", async () => {
    const wanted: Endpoint[] = [];
    const create = (listen: Endpoint): Service => {
      wanted.push(listen);
      return { ...idle, start: async () => Promise.resolve({ ...listen, port: listen.port || 50_000 }) };
    };
    const part = new Part({ name: "one", listen: { host: "::1", port: 0 }, create });
    const address = await part.open();
    await part.close();
    assert.deepEqual(await part.open(), address);
    part.createBy(create);
    await part.close();
    assert.deepEqual(await part.open(), address);
    assert.deepEqual(wanted, [{ host: "::1", port: 0 }, address, address]);
    assert.equal(part.listen.port, 0);
  });

  it("is made as it is to be made last, but only when it is opened again", async () => {
    const create = (name: string) => () => ({ ...idle, name });
    const part = new Part({ name: "one", listen: { host: "", port: 1 }, create: create("old") });
    await part.open();
    part.createBy(create("new"));
    assert.equal(part.service.name, "old");
    await part.close();
    await part.open();
    assert.equal(part.service.name, "new");
  });

  it("stops its service where that cannot start, and says which part it is", async () => {
    const stopped: boolean[] = [];
    const create = (): Service => ({
      start: async () => Promise.reject(new Error("no room")),
      stop: async ({ aborted }) => Promise.resolve(void stopped.push(aborted)),
    });
    const part = new Part({ name: "inbound in", listen: { host: "", port: 1 }, create });
    await assert.rejects(part.open(), { name: "StartError", message: "inbound in: no room" });
    assert.deepEqual(stopped, [true]);
    assert.equal(part.address, undefined);
  });

  it("leaves a service alone that was never started", async () => {
    const ports = new FakePorts();
    await ports.part("one", 1).close();
    assert.deepEqual(ports.events, []);
  });

  it("stops such a service when it is discarded, and is another one when it is opened then", async () => {
    const events: string[] = [];
    const create = (): Service => {
      events.push("made");
      return {
        ...idle,
        stop: async ({ aborted }) => Promise.resolve(void events.push(`stopped ${aborted}`)),
      };
    };
    const part = new Part({ name: "one", listen: { host: "", port: 1 }, create });
    await part.discard();
    await part.discard();
    await part.open();
    await part.discard();
    assert.deepEqual(events, ["made", "stopped true", "made"]);
  });

  it("gives what it has accepted its time of grace, or that of whoever closes it", async () => {
    const ports = new FakePorts();
    const part = ports.part("one", 1, { graceMs: 60_000 });
    await part.open();
    await part.close();
    await part.open();
    await part.close(AbortSignal.abort());
    assert.deepEqual(ports.events, ["open one", "close one", "open one", "cut one"]);
  });
});

describe("A part that has something from files", () => {
  it("has it read again while it is open, and not before or after", async () => {
    let refreshCount = 0;
    const part = new Part({
      name: "a",
      listen: { path: "/run/a.sock" },
      create: (listen) => ({
        start: async () => Promise.resolve(listen),
        stop: async () => Promise.resolve(),
        refresh: async () => {
          refreshCount += 1;
          return Promise.resolve();
        },
      }),
    });
    await part.refresh();
    assert.deepEqual(await part.open(), { path: "/run/a.sock" });
    await part.refresh();
    await part.close();
    await part.refresh();
    assert.equal(refreshCount, 1);
  });
});
