import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Resolver } from "../../src/net/resolver.js";
import { FakeResolver } from "../helpers/fake-resolver.js";
import { turns } from "../helpers/timing.js";

/** How long an address is used. */
const keepMs = 60_000;
/** How long a name without one is not asked for again. */
const keepFailureMs = 5_000;
/** How many names are remembered. */
const maxNameCount = 4_096;
/** How many names are looked up at once. */
const maxLookupCount = 32;
/** How many names may wait for that. */
const maxWaitingCount = 256;
/** How long they may wait. */
const maxWaitMs = 10_000;

interface Fixture {
  readonly resolver: Resolver;
  readonly system: FakeResolver;
  /** Lets time pass, which stands still otherwise. */
  readonly pass: (ms: number) => void;
}

function createResolver(t: TestContext): Fixture {
  let nowMs = 1_000_000;
  t.mock.method(performance, "now", () => nowMs);
  const system = new FakeResolver();
  return { resolver: new Resolver(system), system, pass: (ms) => (nowMs += ms) };
}

/** Has a name looked up that has this address. */
async function know({ resolver, system }: Fixture, host: string, address: string): Promise<void> {
  const resolved = resolver.resolve(host);
  system.answer(address);
  await resolved;
}

describe("Resolver.get", () => {
  it("knows no name that was not looked up, and looks none up", (t) => {
    const { resolver, system } = createResolver(t);
    assert.equal(resolver.get("name.test"), undefined);
    assert.deepEqual(system.asked, []);
  });

  it("knows no name while it is being looked up", async (t) => {
    const { resolver, system } = createResolver(t);
    const resolved = resolver.resolve("name.test");
    assert.equal(resolver.get("name.test"), undefined);
    system.answer("192.0.2.1");
    await resolved;
    assert.deepEqual(resolver.get("name.test"), ["192.0.2.1"]);
  });

  it("knows a name for a minute", async (t) => {
    const fixture = createResolver(t);
    const { resolver, pass } = fixture;
    await know(fixture, "name.test", "192.0.2.1");
    pass(keepMs - 1);
    assert.deepEqual(resolver.get("name.test"), ["192.0.2.1"]);
    pass(1);
    assert.equal(resolver.get("name.test"), undefined);
  });

  it("counts the minute from the answer, not from the question or from when it was used", async (t) => {
    const { resolver, system, pass } = createResolver(t);
    const resolved = resolver.resolve("name.test");
    pass(keepMs);
    system.answer("192.0.2.1");
    await resolved;
    pass(keepMs / 2);
    assert.deepEqual(resolver.get("name.test"), ["192.0.2.1"]);
    pass(keepMs / 2);
    assert.equal(resolver.get("name.test"), undefined);
  });

  it("tells names apart", async (t) => {
    const fixture = createResolver(t);
    await know(fixture, "one.test", "192.0.2.1");
    await know(fixture, "two.test", "192.0.2.2");
    assert.deepEqual(fixture.resolver.get("one.test"), ["192.0.2.1"]);
    assert.deepEqual(fixture.resolver.get("two.test"), ["192.0.2.2"]);
    assert.equal(fixture.resolver.get("three.test"), undefined);
  });
});

describe("Resolver.resolve", () => {
  it("finds all addresses of a name, in order, as sockets write them", async (t) => {
    const { resolver, system } = createResolver(t);
    const resolved = resolver.resolve("name.test");
    system.answer("2001:DB8:0::1", "192.0.2.1");
    assert.deepEqual(await resolved, ["2001:db8::1", "192.0.2.1"]);
    assert.deepEqual(resolver.get("name.test"), ["2001:db8::1", "192.0.2.1"]);
  });

  it("asks once for all who ask at the same time", async (t) => {
    const { resolver, system } = createResolver(t);
    const resolved = [
      resolver.resolve("name.test"),
      resolver.resolve("name.test"),
      resolver.resolve("name.test"),
    ];
    await turns(2);
    system.answer("192.0.2.1");
    assert.deepEqual(await Promise.all(resolved), new Array(3).fill(["192.0.2.1"]));
    assert.deepEqual(system.asked, ["name.test"]);
  });

  it("answers those who ask for one name in the order in which they asked", async (t) => {
    const { resolver, system } = createResolver(t);
    const order: number[] = [];
    const resolved = Array.from({ length: 5 }, async (_, index) => {
      await resolver.resolve("name.test");
      order.push(index);
    });
    system.answer("192.0.2.1");
    await Promise.all(resolved);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it("asks again after a minute, and takes the new address", async (t) => {
    const fixture = createResolver(t);
    await know(fixture, "name.test", "192.0.2.1");
    fixture.pass(keepMs);
    await know(fixture, "name.test", "192.0.2.2");
    assert.deepEqual(fixture.resolver.get("name.test"), ["192.0.2.2"]);
    assert.deepEqual(fixture.system.asked, ["name.test", "name.test"]);
  });

  const failures: readonly (readonly [
    what: string,
    fail: (system: FakeResolver) => void,
    expected: string,
  ])[] = [
    [
      "is not found",
      (system) => {
        system.fail("getaddrinfo ENOTFOUND name.test");
      },
      "getaddrinfo ENOTFOUND name.test",
    ],
    [
      "has no address",
      (system) => {
        system.answer();
      },
      "name.test has no address",
    ],
  ];
  for (const [what, fail, message] of failures) {
    it(`fails for a name that ${what}, and for those who ask in the next 5 s, without asking again`, async (t) => {
      const { resolver, system, pass } = createResolver(t);
      const resolved = [resolver.resolve("name.test"), resolver.resolve("name.test")];
      fail(system);
      for (const each of resolved) await assert.rejects(each, { message });
      assert.equal(resolver.get("name.test"), undefined);
      pass(keepFailureMs - 1);
      await assert.rejects(resolver.resolve("name.test"), { message });
      assert.deepEqual(system.asked, ["name.test"]);
    });

    it(`asks again 5 s later for a name that ${what}`, async (t) => {
      const fixture = createResolver(t);
      const resolved = fixture.resolver.resolve("name.test");
      fail(fixture.system);
      await assert.rejects(resolved);
      fixture.pass(keepFailureMs);
      await know(fixture, "name.test", "192.0.2.1");
      assert.deepEqual(fixture.resolver.get("name.test"), ["192.0.2.1"]);
    });
  }

  it("fails where the system throws", async (t) => {
    createResolver(t);
    const resolver = new Resolver({
      lookup: () => {
        throw new Error("out of order");
      },
    });
    await assert.rejects(resolver.resolve("name.test"), { message: "out of order" });
  });

  it("looks 32 names up at once; further ones wait for their turn", async (t) => {
    const { resolver, system } = createResolver(t);
    const resolved = names(maxLookupCount + 2).map(async (name) => resolver.resolve(name));
    assert.deepEqual(system.asked, names(maxLookupCount));
    system.answer("192.0.2.1");
    system.fail("no");
    await resolved[0];
    const { status } = (await Promise.allSettled(resolved.slice(1, 2)))[0] ?? {};
    assert.equal(status, "rejected");
    assert.deepEqual(system.asked, names(maxLookupCount + 2));
    system.answerAll("192.0.2.1");
    await Promise.all(resolved.slice(2));
  });

  it("gives those who ask for a name that is looked up, or waits for that, its answer", async (t) => {
    const { resolver, system } = createResolver(t);
    const asked = [...names(maxLookupCount + 1), "0.test", `${maxLookupCount}.test`];
    const resolved = asked.map(async (name) => resolver.resolve(name));
    system.answer("192.0.2.1");
    await resolved[0];
    system.answerAll("192.0.2.1");
    assert.equal((await Promise.all(resolved)).length, maxLookupCount + 3);
    assert.deepEqual(system.asked, names(maxLookupCount + 1));
  });

  it("lets 256 names wait; a further one fails, and is not remembered as failing", async (t) => {
    const { resolver, system } = createResolver(t);
    const resolved = names(maxLookupCount + maxWaitingCount).map(async (name) => resolver.resolve(name));
    await assert.rejects(resolver.resolve("name.test"), {
      message: `${maxWaitingCount} others wait already`,
    });
    system.answer("192.0.2.1");
    await resolved[0];
    const further = resolver.resolve("name.test");
    await answerEach(system);
    assert.deepEqual(await further, ["192.0.2.1"]);
    await Promise.all(resolved);
  });

  it("drops from the queue what has waited longer than anybody waits for it", async (t) => {
    const { resolver, system, pass } = createResolver(t);
    const [last = "", ...running] = names(maxLookupCount + 1).reverse();
    const resolved = running.map(async (name) => resolver.resolve(name));
    const late = resolver.resolve(last);
    pass(maxWaitMs + 1);
    system.answerAll("192.0.2.1");
    await Promise.all(resolved);
    await assert.rejects(late, { message: `its turn did not come within ${maxWaitMs} ms` });
    assert.deepEqual(system.asked, running);
    const again = resolver.resolve(last);
    system.answer("192.0.2.1");
    assert.deepEqual(await again, ["192.0.2.1"]);
  });
});

describe("Resolver's memory", () => {
  it("holds 4,096 names, and forgets the one of more that it has known longest", async (t) => {
    const fixture = createResolver(t);
    const { resolver } = fixture;
    for (const name of names(maxNameCount)) await know(fixture, name, "192.0.2.1");
    assert.deepEqual(resolver.get("0.test"), ["192.0.2.1"]);
    await know(fixture, "name.test", "192.0.2.1");
    assert.equal(resolver.get("0.test"), undefined);
    assert.deepEqual(resolver.get("1.test"), ["192.0.2.1"]);
  });
});

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}.test`);
}

/** Answers all look-ups, those that begin meanwhile, too. */
async function answerEach(system: FakeResolver): Promise<void> {
  while (system.waitingCount > 0) {
    system.answerAll("192.0.2.1");
    await turns(1);
  }
}
