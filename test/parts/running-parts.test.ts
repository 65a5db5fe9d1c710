import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Part } from "../../src/parts/part.js";
import { RunningParts } from "../../src/parts/running-parts.js";
import { FakePorts } from "../helpers/fake-service.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

const cut = AbortSignal.abort();

describe("RunningParts", () => {
  const logger = new RecordingLogger();

  it("closes all that it has opened", async () => {
    const ports = new FakePorts();
    const running = new RunningParts(logger);
    await running.open([ports.part("a", 1), ports.part("b", 2)]);
    await running.closeAll(cut);
    await running.closeAll(cut);
    assert.deepEqual(ports.events, ["open a", "open b", "cut a", "cut b"]);
  });

  it("opens what comes, leaves alone what stays, and says what is still to be closed", async () => {
    const ports = new FakePorts();
    const running = new RunningParts(logger);
    const [stays, goes, gaveWay] = [ports.part("stays", 1), ports.part("goes", 2), ports.part("gave way", 3)];
    await running.open([stays, goes, gaveWay]);
    const going = await running.swap([stays, goes, gaveWay], [ports.part("comes", 3), stays]);
    assert.deepEqual(
      going.map(({ name }) => name),
      ["goes"],
    );
    assert.deepEqual(ports.events.slice(3), ["cut gave way", "open comes"]);
    await running.close(goes);
    await running.closeAll(cut);
    assert.deepEqual(ports.events.slice(5).sort(), ["cut comes", "cut goes", "cut stays"]);
  });

  it("knows what is open after a swap that failed", async () => {
    const ports = new FakePorts();
    const running = new RunningParts(logger);
    const old = [ports.part("a", 1), ports.part("b", 2)];
    await running.open(old);
    for (const name of ["new a", "a"]) ports.broken.add(name);
    const next = [ports.part("new a", 1), ports.part("c", 3)];
    await assert.rejects(running.swap(old, next), { message: "new a: broken" });
    await running.closeAll(cut);
    assert.deepEqual([...ports.taken], []);
    assert.equal(ports.events.at(-1), "cut b");
  });

  it("discards what is not open, and leaves alone what is", async () => {
    const stopped: string[] = [];
    const part = (name: string) =>
      new Part({
        ...{ name, listen: { host: "", port: 1 } },
        create: () => ({
          start: async () => Promise.resolve({ host: "", port: 1 }),
          stop: async ({ aborted }) => Promise.resolve(void stopped.push(`${name} ${aborted}`)),
        }),
      });
    const running = new RunningParts(logger);
    const [open, other] = [part("open"), part("other")];
    await running.open([open]);
    await running.discard([open, other]);
    assert.deepEqual(stopped, ["other true"]);
  });

  it("logs what does not stop, and has done with it", async () => {
    const recorder = new RecordingLogger();
    const running = new RunningParts(recorder);
    const create = () => ({
      start: async () => Promise.resolve({ host: "", port: 1 }),
      stop: async () => Promise.reject(new Error("stuck")),
    });
    const part = new Part({ name: "one", listen: { host: "", port: 1 }, create });
    await running.open([part]);
    await running.close(part);
    await running.closeAll(cut);
    assert.deepEqual(recorder.messages("error"), ["one did not stop: stuck"]);
  });
});
