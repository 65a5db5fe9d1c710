import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { AddressCache } from "../../src/net/address-cache.js";
import { FakeResolver } from "../helpers/fake-resolver.js";
import { turns } from "../helpers/timing.js";

/** How long an address is used. */
const keepMs = 60_000;
/** How long a name without one is not asked for again. */
const keepFailureMs = 5_000;
/** How many hosts are remembered. */
const maxHostCount = 1_024;
/** How many names are looked up at once. */
const maxLookupCount = 16;

interface Fixture {
  readonly cache: AddressCache;
  readonly resolver: FakeResolver;
  /** Lets time pass, which stands still otherwise. */
  readonly pass: (ms: number) => void;
}

function createCache(t: TestContext): Fixture {
  let nowMs = 1_000_000;
  t.mock.method(performance, "now", () => nowMs);
  const resolver = new FakeResolver();
  return { cache: new AddressCache(resolver.lookup), resolver, pass: (ms) => (nowMs += ms) };
}

/** Has a name looked up that has this address. */
async function know({ cache, resolver }: Fixture, host: string, address: string): Promise<void> {
  const resolved = cache.resolve(host);
  resolver.answer(address);
  await resolved;
}

describe("AddressCache.get", () => {
  const addresses: readonly (readonly [host: string, expected: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["2001:DB8:0::1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["fe80::1%lo", "fe80::1%lo"],
  ];
  for (const [host, expected] of addresses) {
    it(`knows ${host} without a look-up, each time it is asked`, (t) => {
      const { cache, resolver } = createCache(t);
      assert.deepEqual([cache.get(host), cache.get(host)], [expected, expected]);
      assert.deepEqual(resolver.asked, []);
    });
  }

  it("knows no name that was not looked up, and looks none up", (t) => {
    const { cache, resolver } = createCache(t);
    assert.equal(cache.get("name.test"), undefined);
    assert.deepEqual(resolver.asked, []);
  });

  it("knows no name while it is being looked up", async (t) => {
    const { cache, resolver } = createCache(t);
    const resolved = cache.resolve("name.test");
    assert.equal(cache.get("name.test"), undefined);
    resolver.answer("192.0.2.1");
    await resolved;
    assert.equal(cache.get("name.test"), "192.0.2.1");
  });

  it("knows a name for a minute", async (t) => {
    const fixture = createCache(t);
    const { cache, pass } = fixture;
    await know(fixture, "name.test", "192.0.2.1");
    pass(keepMs - 1);
    assert.equal(cache.get("name.test"), "192.0.2.1");
    pass(1);
    assert.equal(cache.get("name.test"), undefined);
  });

  it("counts the minute from the answer, not from the question or from when it was used", async (t) => {
    const { cache, resolver, pass } = createCache(t);
    const resolved = cache.resolve("name.test");
    pass(keepMs);
    resolver.answer("192.0.2.1");
    await resolved;
    pass(keepMs / 2);
    assert.equal(cache.get("name.test"), "192.0.2.1");
    pass(keepMs / 2);
    assert.equal(cache.get("name.test"), undefined);
  });

  it("tells names apart", async (t) => {
    const fixture = createCache(t);
    await know(fixture, "one.test", "192.0.2.1");
    await know(fixture, "two.test", "192.0.2.2");
    assert.equal(fixture.cache.get("one.test"), "192.0.2.1");
    assert.equal(fixture.cache.get("two.test"), "192.0.2.2");
    assert.equal(fixture.cache.get("three.test"), undefined);
  });
});

describe("AddressCache.resolve", () => {
  it("takes the first of several addresses, as sockets write it", async (t) => {
    const { cache, resolver } = createCache(t);
    const resolved = cache.resolve("name.test");
    resolver.answer("2001:DB8:0::1", "192.0.2.1");
    assert.equal(await resolved, "2001:db8::1");
    assert.equal(cache.get("name.test"), "2001:db8::1");
  });

  it("asks once for all who ask at the same time", async (t) => {
    const { cache, resolver } = createCache(t);
    const resolved = [cache.resolve("name.test"), cache.resolve("name.test"), cache.resolve("name.test")];
    await turns(2);
    resolver.answer("192.0.2.1");
    assert.deepEqual(await Promise.all(resolved), ["192.0.2.1", "192.0.2.1", "192.0.2.1"]);
    assert.deepEqual(resolver.asked, ["name.test"]);
  });

  it("answers those who ask for one name in the order in which they asked", async (t) => {
    const { cache, resolver } = createCache(t);
    const order: number[] = [];
    const resolved = Array.from({ length: 5 }, async (_, index) => {
      await cache.resolve("name.test");
      order.push(index);
    });
    resolver.answer("192.0.2.1");
    await Promise.all(resolved);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it("asks again after a minute, and takes the new address", async (t) => {
    const fixture = createCache(t);
    await know(fixture, "name.test", "192.0.2.1");
    fixture.pass(keepMs);
    await know(fixture, "name.test", "192.0.2.2");
    assert.equal(fixture.cache.get("name.test"), "192.0.2.2");
    assert.deepEqual(fixture.resolver.asked, ["name.test", "name.test"]);
  });

  const failures: readonly (readonly [
    what: string,
    fail: (resolver: FakeResolver) => void,
    expected: string,
  ])[] = [
    [
      "is not found",
      (resolver) => {
        resolver.fail("getaddrinfo ENOTFOUND name.test");
      },
      "getaddrinfo ENOTFOUND name.test",
    ],
    [
      "has no address",
      (resolver) => {
        resolver.answer();
      },
      "name.test has no address",
    ],
  ];
  for (const [what, fail, message] of failures) {
    it(`fails for a name that ${what}, and for those who ask in the next 5 s, without asking again`, async (t) => {
      const { cache, resolver, pass } = createCache(t);
      const resolved = [cache.resolve("name.test"), cache.resolve("name.test")];
      fail(resolver);
      for (const each of resolved) await assert.rejects(each, { message });
      assert.equal(cache.get("name.test"), undefined);
      pass(keepFailureMs - 1);
      await assert.rejects(cache.resolve("name.test"), { message });
      assert.deepEqual(resolver.asked, ["name.test"]);
    });

    it(`asks again 5 s later for a name that ${what}`, async (t) => {
      const fixture = createCache(t);
      const resolved = fixture.cache.resolve("name.test");
      fail(fixture.resolver);
      await assert.rejects(resolved);
      fixture.pass(keepFailureMs);
      await know(fixture, "name.test", "192.0.2.1");
      assert.equal(fixture.cache.get("name.test"), "192.0.2.1");
    });
  }

  it("fails where the resolver throws", async (t) => {
    createCache(t);
    const cache = new AddressCache(() => {
      throw new Error("out of order");
    });
    await assert.rejects(cache.resolve("name.test"), { message: "out of order" });
  });

  it("looks 16 names up at once; a further one fails, and is not remembered as failing", async (t) => {
    const fixture = createCache(t);
    const { cache, resolver } = fixture;
    const resolved = Array.from({ length: maxLookupCount }, async (_, index) =>
      cache.resolve(`${index}.test`),
    );
    await assert.rejects(cache.resolve("name.test"), {
      message: "name.test is not looked up while 16 other names are",
    });
    assert.equal(resolver.waitingCount, maxLookupCount);
    resolver.answer("192.0.2.1");
    await resolved[0];
    const further = cache.resolve("name.test");
    resolver.answerAll("192.0.2.2");
    assert.equal(await further, "192.0.2.2");
    await Promise.all(resolved);
  });

  it("gives those who ask for one of 16 names its answer", async (t) => {
    const { cache, resolver } = createCache(t);
    const resolved = Array.from({ length: maxLookupCount }, async (_, index) =>
      cache.resolve(`${index}.test`),
    );
    resolved.push(cache.resolve("0.test"));
    resolver.answerAll("192.0.2.1");
    assert.equal((await Promise.all(resolved)).length, maxLookupCount + 1);
  });

  it("has room again after look-ups that failed", async (t) => {
    const fixture = createCache(t);
    const { cache, resolver } = fixture;
    const resolved = Array.from({ length: maxLookupCount }, async (_, index) =>
      cache.resolve(`${index}.test`),
    );
    while (resolver.waitingCount > 0) resolver.fail("no");
    for (const each of resolved) await assert.rejects(each, { message: "no" });
    await know(fixture, "name.test", "192.0.2.1");
  });
});

describe("AddressCache's memory", () => {
  it("holds 1,024 hosts, and forgets the one of more that it has known longest", async (t) => {
    const fixture = createCache(t);
    const { cache } = fixture;
    await know(fixture, "first.test", "192.0.2.1");
    await know(fixture, "second.test", "192.0.2.2");
    for (let index = 2; index < maxHostCount; index++) cache.get(`10.0.${index >> 8}.${index & 0xff}`);
    assert.equal(cache.get("first.test"), "192.0.2.1");
    cache.get("192.0.2.3");
    assert.equal(cache.get("first.test"), undefined);
    assert.equal(cache.get("second.test"), "192.0.2.2");
  });

  it("takes an answer for a name that it forgot while that was looked up", async (t) => {
    const { cache, resolver } = createCache(t);
    const resolved = cache.resolve("name.test");
    for (let index = 0; index < maxHostCount; index++) cache.get(`10.0.${index >> 8}.${index & 0xff}`);
    resolver.answer("192.0.2.1");
    assert.equal(await resolved, "192.0.2.1");
    assert.equal(cache.get("name.test"), "192.0.2.1");
  });
});
