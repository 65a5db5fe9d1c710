import assert from "node:assert/strict";
import { Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { TLSSocket } from "node:tls";
import { countConnection } from "../../src/net/counting-connection.js";
import { forwardEvents, prototypesOf } from "../../src/net/forward-members.js";
import { createPipe } from "../../src/net/pipe.js";
import { socketPair, tlsPair } from "../helpers/sockets.js";
import { createTallies } from "../helpers/tally.js";
import { closed, event, turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

function wrap<C extends Duplex>(connection: C): C {
  return countConnection(connection, createTallies().sinks);
}

/** A kind of stream with a member of its own. */
class Labelled extends PassThrough {
  label(): string {
    return `${this.readableLength} bytes`;
  }
}

/** The names that are a stream's own beyond a plain Duplex, and not Node's private ones. */
function publicNames(stream: Duplex): string[] {
  const holders = [stream, ...prototypesOf(stream)];
  const names = holders.flatMap((holder) => Object.getOwnPropertyNames(holder));
  const plain = new Duplex();
  return [...new Set(names)].filter((name) => !name.startsWith("_") && !(name in plain));
}

describe("the wrapper of a net.Socket", () => {
  it("has every member that the socket has", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    const names = publicNames(server);
    assert.ok(
      names.includes("remoteAddress") && names.includes("setTimeout") && names.includes("connecting"),
    );
    const missing = names.filter((name) => !(name in wrapper));
    assert.deepEqual(missing, []);
  });

  it("knows the ends of the connection", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    assert.equal(wrapper.remoteAddress, "127.0.0.1");
    assert.equal(wrapper.remotePort, server.remotePort);
    assert.equal(wrapper.remoteFamily, "IPv4");
    assert.equal(wrapper.localAddress, "127.0.0.1");
    assert.equal(wrapper.localPort, server.localPort);
    assert.deepEqual(wrapper.address(), server.address());
    assert.deepEqual([wrapper.pending, wrapper.connecting, wrapper.readyState], [false, false, "open"]);
  });

  it("is returned by what returns the socket for chaining", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(wrap(server));
    assert.equal(wrapper.setNoDelay(true).setKeepAlive(true, 1000).ref().unref().ref(), wrapper);
    assert.equal(wrapper.setTimeout(0), wrapper);
  });

  it("acts on the socket", io, async (t) => {
    const { server } = await socketPair(t);
    const calls: unknown[] = [];
    t.mock.method(server, "setKeepAlive", function setKeepAlive(this: Socket, ...values: unknown[]) {
      calls.push([this === server, ...values]);
      return this;
    });
    const wrapper = wrap(server);
    assert.equal(wrapper.setKeepAlive(true, 7), wrapper);
    assert.deepEqual(calls, [[true, true, 7]]);
    wrapper.setTimeout(12_345);
    assert.equal(server.timeout, 12_345);
    assert.equal(wrapper.timeout, 12_345);
  });

  it("says that the connection is idle", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    const idle = event(wrapper, "timeout");
    wrapper.setTimeout(10);
    await idle;
    assert.equal(wrapper.destroyed, false);
  });

  it("calls the listener that setTimeout() is given, once", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    let calls = 0;
    wrapper.setTimeout(10, () => calls++);
    await event(wrapper, "timeout");
    assert.equal(calls, 1);
    wrapper.emit("timeout");
    assert.equal(calls, 1);
  });

  it("lets go of listeners, of its own and of those that setTimeout() was given", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    const calls: string[] = [];
    const listener = (): void => {
      calls.push("removed");
    };
    wrapper.on("timeout", listener);
    wrapper.removeListener("timeout", listener);
    wrapper.setTimeout(10, listener);
    wrapper.removeListener("timeout", listener);
    wrapper.setTimeout(10, listener);
    wrapper.setTimeout(0, listener);
    wrapper.once("timeout", () => calls.push("once"));
    wrapper.setTimeout(10);
    await event(wrapper, "timeout");
    assert.deepEqual(calls, ["once"]);
  });

  it("hands an event on once for each listener, however many there are", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    const seen: unknown[][] = [];
    const listener = (...values: unknown[]): void => {
      seen.push(values);
    };
    wrapper.on("custom", listener);
    wrapper.on("custom", listener);
    server.emit("custom", 1, "two");
    assert.deepEqual(seen, [
      [1, "two"],
      [1, "two"],
    ]);
    wrapper.off("custom", listener);
    wrapper.off("custom", listener);
    server.emit("custom", 3);
    assert.equal(seen.length, 2);
  });

  it("keeps the stream's own events to itself", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    let calls = 0;
    for (const name of ["data", "end", "readable", "drain", "finish", "pipe", "unpipe", "pause", "resume"]) {
      wrapper.on(name, () => calls++);
    }
    await turns(10);
    calls = 0;
    for (const name of ["drain", "finish", "pipe", "unpipe", "pause", "readable"]) server.emit(name, wrapper);
    assert.equal(calls, 0);
  });

  it("has what its users attached to the socket, and lets them attach more", io, async (t) => {
    const { server } = await socketPair(t);
    const tagged = Object.assign(server, { label: "before" });
    const wrapper = wrap(tagged);
    assert.equal(wrapper.label, "before");
    wrapper.label = "after";
    assert.equal(tagged.label, "after");
    assert.equal(Reflect.set(wrapper, "more", 1), true);
    assert.equal(Reflect.get(wrapper, "more"), 1);
  });

  it("follows members that change", io, async (t) => {
    const { client, server } = await socketPair(t);
    const wrapper = wrap(server);
    assert.equal(wrapper.bytesRead, 0);
    client.end("hello");
    wrapper.resume();
    await event(wrapper, "end");
    assert.equal(wrapper.bytesRead, 5);
    wrapper.destroy();
    await closed(server);
    assert.equal(wrapper.readyState, "closed");
  });

  it("shows nothing of Node's private members", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = wrap(server);
    const isPlain = (name: string): boolean => name in new Duplex();
    const shown = ["_handle", "_parent", "_server", "_sockname", "_peername", "_host", "_bytesDispatched"];
    assert.deepEqual(
      shown.filter((name) => name in wrapper && !isPlain(name)),
      [],
    );
  });
});

describe("the wrapper of a TLSSocket", () => {
  it("has every member that the socket has", io, async (t) => {
    const { server } = await tlsPair(t);
    const wrapper = wrap(server);
    const missing = publicNames(server).filter((name) => !(name in wrapper));
    assert.deepEqual(missing, []);
  });

  it("knows the session", io, async (t) => {
    const { client, server } = await tlsPair(t);
    const [ours, theirs] = [wrap(server), wrap(client)];
    assert.equal(ours.encrypted, true);
    assert.equal(theirs.authorized, true);
    assert.equal(theirs.getPeerCertificate().subject.CN, "localhost");
    assert.equal(theirs.getProtocol(), client.getProtocol());
    assert.deepEqual(theirs.getCipher(), server.getCipher());
    assert.equal(Reflect.get(ours, "servername"), "localhost");
    assert.equal(ours.alpnProtocol, false);
    assert.equal(ours.remoteAddress, "127.0.0.1");
  });

  it("hands the events of TLS on", io, async (t) => {
    const { client } = await tlsPair(t);
    const wrapper = wrap(client);
    const seen: unknown[] = [];
    wrapper.on("session", (session: Buffer) => seen.push(session));
    client.emit("session", Buffer.from("s"));
    assert.ok(seen.some((session) => Buffer.isBuffer(session)));
  });

  it("is destroyed where a net.Socket would be reset", io, async (t) => {
    const { client, server } = await tlsPair(t);
    client.resume();
    const wrapper = wrap(server);
    assert.equal(wrapper.resetAndDestroy(), wrapper);
    await closed(wrapper);
    await closed(server);
  });
});

describe("wrappers of different kinds", () => {
  it("do not get each other's members", io, async (t) => {
    const { server } = await socketPair(t);
    const [pipe] = createPipe();
    const wrappers = [wrap(server), wrap(new Labelled()), wrap(new PassThrough()), wrap(pipe)];
    assert.deepEqual(
      wrappers.map((wrapper) => "remoteAddress" in wrapper),
      [true, false, false, false],
    );
    assert.deepEqual(
      wrappers.map((wrapper) => "label" in wrapper),
      [false, true, false, false],
    );
    assert.deepEqual(
      wrappers.map((wrapper) => "setTimeout" in wrapper),
      [true, false, false, false],
    );
    for (const wrapper of wrappers) wrapper.destroy();
  });

  it("do not get each other's attached members", io, async (t) => {
    const first = await socketPair(t);
    const second = await socketPair(t);
    const labelled = wrap(Object.assign(first.server, { label: "x" }));
    assert.equal(labelled.label, "x");
    assert.equal("label" in wrap(second.server), false);
  });

  it("look at their own stream", io, async (t) => {
    const pairs = [await socketPair(t), await socketPair(t)];
    const wrappers = pairs.map(({ server }) => wrap(server));
    assert.deepEqual(
      wrappers.map(({ remotePort }) => remotePort),
      pairs.map(({ client }) => client.localPort),
    );
  });
});

describe("prototypesOf", () => {
  it("lists what a stream has beyond a Duplex, its own kind first", () => {
    class Special extends Socket {}
    const special = new Special();
    assert.deepEqual([...prototypesOf(special)], [Special.prototype, Socket.prototype]);
    assert.deepEqual([...prototypesOf(new Duplex())], []);
    const tls = new TLSSocket(new PassThrough());
    assert.deepEqual([...prototypesOf(tls)], [TLSSocket.prototype, Socket.prototype]);
    tls.destroy();
  });
});

describe("forwardEvents", () => {
  it("listens to the wrapped stream only from when somebody wants to know, and once", () => {
    const [wrapper, inner] = [new PassThrough(), new PassThrough()];
    forwardEvents(wrapper, inner);
    assert.equal(inner.listenerCount("custom"), 0);
    wrapper.on("custom", () => undefined);
    wrapper.once("custom", () => undefined);
    assert.equal(inner.listenerCount("custom"), 1);
    wrapper.on("data", () => undefined);
    assert.equal(inner.listenerCount("data"), 0);
  });
});
