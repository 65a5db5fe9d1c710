import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionLimits, type ConnectionBounds, type Release } from "../../src/net/connection-limits.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

/** Lets as many connections in; fails if it is not done. */
function admitMany(limits: ConnectionLimits, address: string, count: number): Release[] {
  return Array.from({ length: count }, () => {
    const release = limits.admit(address);
    assert.ok(release !== undefined, `${address} is refused`);
    return release;
  });
}

function releaseMany(releases: readonly Release[]): void {
  for (const release of releases) release();
}

describe("ConnectionLimits", () => {
  it("has room for thousands of connections of one source, and for many sources", () => {
    const limits = new ConnectionLimits();
    admitMany(limits, "192.0.2.1", 4_096);
    assert.equal(limits.admit("192.0.2.1"), undefined);
    for (let source = 2; source <= 16; source++) admitMany(limits, `192.0.2.${source}`, 4_096);
    assert.equal(limits.count, 65_536);
    assert.equal(limits.admit("192.0.2.17"), undefined);
  });

  it("takes another connection for each that closes", () => {
    const limits = new ConnectionLimits({ maxCount: 2 });
    const [first] = admitMany(limits, "192.0.2.1", 2);
    assert.equal(limits.admit("192.0.2.2"), undefined);
    first?.();
    admitMany(limits, "192.0.2.2", 1);
    assert.equal(limits.admit("192.0.2.2"), undefined);
    assert.equal(limits.count, 2);
  });

  it("bounds each source by itself", () => {
    const limits = new ConnectionLimits({ maxPerSource: 2 });
    const [first] = admitMany(limits, "192.0.2.1", 2);
    assert.equal(limits.admit("192.0.2.1"), undefined);
    admitMany(limits, "192.0.2.2", 2);
    first?.();
    admitMany(limits, "192.0.2.1", 1);
    assert.equal(limits.admit("192.0.2.1"), undefined);
  });

  it("takes a /64 for one source, and an IPv4 address for one however it is written", () => {
    const limits = new ConnectionLimits({ maxPerSource: 1 });
    admitMany(limits, "2001:db8::1", 1);
    assert.equal(limits.admit("2001:db8::2"), undefined);
    admitMany(limits, "2001:db8:0:1::1", 1);
    admitMany(limits, "::ffff:192.0.2.1", 1);
    assert.equal(limits.admit("192.0.2.1"), undefined);
  });

  it("may get other bounds, which hold for the connections to come", () => {
    const logger = new RecordingLogger();
    const limits = new ConnectionLimits({ maxCount: 2, logger });
    const [first, second] = admitMany(limits, "192.0.2.1", 2);
    assert.equal(limits.admit("192.0.2.1"), undefined);
    limits.setBounds({ maxCount: 1 });
    assert.equal(limits.count, 2);
    first?.();
    assert.equal(limits.admit("192.0.2.1"), undefined);
    second?.();
    admitMany(limits, "192.0.2.1", 1);
    limits.setBounds({ maxPerSource: 1 });
    assert.equal(limits.admit("192.0.2.1"), undefined);
    admitMany(limits, "192.0.2.2", 1);
    assert.deepEqual(logger.messages("warn"), [
      "refusing connections beyond 2; experimental.limits.connections",
      "refusing connections beyond 1; experimental.limits.connections",
      "refusing connections beyond 1 of one source; experimental.limits.connections_per_source",
    ]);
  });

  it("forgets a source with its last connection, and one that was refused at once", () => {
    const limits = new ConnectionLimits({ maxCount: 3 });
    const first = admitMany(limits, "192.0.2.1", 2);
    const second = admitMany(limits, "192.0.2.2", 1);
    assert.equal(limits.admit("192.0.2.3"), undefined);
    assert.equal(limits.sourceCount, 2);
    releaseMany(second);
    assert.equal(limits.sourceCount, 1);
    releaseMany(first);
    assert.deepEqual([limits.sourceCount, limits.count], [0, 0]);
  });

  it("knows how many it has refused, and what stood in the way", () => {
    let hasRoom = true;
    const limits = new ConnectionLimits({ maxCount: 2, maxPerSource: 1, hasRoom: () => hasRoom });
    assert.deepEqual(limits.refused, { connections: 0, connectionsPerSource: 0, descriptors: 0 });
    admitMany(limits, "192.0.2.1", 1);
    limits.admit("192.0.2.1");
    hasRoom = false;
    limits.admit("192.0.2.2");
    hasRoom = true;
    admitMany(limits, "192.0.2.2", 1);
    for (const source of [1, 2, 3]) limits.admit(`192.0.2.${source}`);
    assert.deepEqual(limits.refused, { connections: 3, connectionsPerSource: 1, descriptors: 1 });
  });

  it("counts nothing that the process has no room for", () => {
    let hasRoom = false;
    const limits = new ConnectionLimits({ maxCount: 1, hasRoom: () => hasRoom });
    assert.equal(limits.admit("192.0.2.1"), undefined);
    assert.deepEqual([limits.sourceCount, limits.count], [0, 0]);
    hasRoom = true;
    admitMany(limits, "192.0.2.1", 1);
  });

  it("tells of each connection that closes, and of none that was not let in", () => {
    let released = 0;
    const limits = new ConnectionLimits({ maxCount: 2, onReleased: () => (released += 1) });
    const releases = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map((address) => limits.admit(address));
    assert.equal(released, 0);
    for (const release of releases) release?.();
    assert.equal(released, 2);
  });

  it("does not ask for room where a limit refuses", () => {
    let asked = 0;
    const limits = new ConnectionLimits({ maxCount: 1, hasRoom: () => (asked += 1) > 0 });
    admitMany(limits, "192.0.2.1", 1);
    limits.admit("192.0.2.1");
    assert.equal(asked, 1);
  });

  it("says once that it refuses, and for which limit", () => {
    const logger = new RecordingLogger();
    const limits = new ConnectionLimits({ maxCount: 3, maxPerSource: 2, logger });
    admitMany(limits, "2001:db8::1", 2);
    for (let attempt = 0; attempt < 5; attempt++) limits.admit("2001:db8::2");
    admitMany(limits, "192.0.2.1", 1);
    for (let attempt = 0; attempt < 5; attempt++) limits.admit("192.0.2.1");
    assert.deepEqual(logger.lines, [
      {
        level: "warn",
        message: "refusing connections beyond 2 of one source; experimental.limits.connections_per_source",
        fields: { source: "2001:db8:0:0::/64" },
      },
      {
        level: "warn",
        message: "refusing connections beyond 3; experimental.limits.connections",
        fields: undefined,
      },
    ]);
  });

  const limitsOfTwenty = [
    ["all", { maxCount: 20 }],
    ["one source", { maxPerSource: 20 }],
  ] as const;
  for (const [whose, options] of limitsOfTwenty) {
    it(`says so again only after a tenth has become free, for ${whose}`, () => {
      const logger = new RecordingLogger();
      const limits = new ConnectionLimits({ ...options, logger });
      const warningsAfter = (closing: number): number => {
        releaseMany(releases.splice(0, closing));
        releases.push(...admitMany(limits, "192.0.2.1", closing));
        assert.equal(limits.admit("192.0.2.1"), undefined);
        return logger.messages("warn").length;
      };
      const releases = admitMany(limits, "192.0.2.1", 20);
      assert.deepEqual([0, 1, 1, 2, 1, 20].map(warningsAfter), [1, 1, 1, 2, 2, 3]);
    });

    it(`says so again where there is another limit, and not where the same is set again, for ${whose}`, () => {
      const logger = new RecordingLogger();
      const limits = new ConnectionLimits({ ...options, logger });
      admitMany(limits, "192.0.2.1", 20);
      const warningsWith = (bounds: ConnectionBounds): number => {
        limits.setBounds(bounds);
        assert.equal(limits.admit("192.0.2.1"), undefined);
        return logger.messages("warn").length;
      };
      const [name] = Object.keys(options);
      const bounds = [20, 20, 19, 19].map((count) => ({ [String(name)]: count }));
      assert.deepEqual(bounds.map(warningsWith), [1, 1, 2, 2]);
    });
  }

  it("tells who asks of each that it does not let in, and the log where the config has the limit", () => {
    const refused: string[] = [];
    const logger = new RecordingLogger();
    const limits = new ConnectionLimits({
      ...{ maxCount: 2, maxPerSource: 1, section: "some.limits", logger },
      onRefused: (by) => refused.push(by),
    });
    for (const host of ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"]) limits.admit(host);
    assert.deepEqual(refused, ["connectionsPerSource", "connections"]);
    assert.match(
      JSON.stringify(logger.lines),
      /some\.limits\.connections_per_source.*some\.limits\.connections"/,
    );
  });
});

describe("ConnectionLimits, where others make room", () => {
  /** Limits whose connections are all displaced by others, who came first first; by their source. */
  function createDisplacing(bounds: ConnectionBounds) {
    const logger = new RecordingLogger();
    const there: { readonly source: string; readonly release: Release }[] = [];
    const displaced: string[] = [];
    const limits = new ConnectionLimits({
      ...{ ...bounds, logger, section: "some.limits" },
      displaceOne: (source) => {
        const index = there.findIndex((one) => source === undefined || one.source === source);
        const [one] = index < 0 ? [] : there.splice(index, 1);
        one?.release();
        if (one !== undefined) displaced.push(one.source);
        return one !== undefined;
      },
    });
    const admit = (source: string): boolean => {
      const release = limits.admit(source);
      if (release !== undefined) there.push({ source, release });
      return release !== undefined;
    };
    return { limits, logger, there, displaced, admit };
  }

  it("lets one in for another of its source, and only else of another's", () => {
    const { limits, displaced, admit } = createDisplacing({ maxCount: 4, maxPerSource: 2 });
    for (const source of ["b", "b", "a", "a"]) assert.ok(admit(source));
    assert.ok(admit("a"));
    assert.deepEqual(displaced, ["a"]);
    assert.ok(admit("c"));
    assert.deepEqual(displaced, ["a", "b"]);
    assert.ok(admit("b"));
    assert.deepEqual(displaced, ["a", "b", "b"]);
    assert.deepEqual([limits.count, limits.sourceCount], [4, 3]);
    assert.deepEqual(limits.refused, { connections: 0, connectionsPerSource: 0, descriptors: 0 });
  });

  it("lets one in for the only one of its source", () => {
    const { limits, there, admit } = createDisplacing({ maxPerSource: 1 });
    for (let count = 0; count < 3; count++) assert.ok(admit("a"));
    assert.deepEqual([limits.count, limits.sourceCount], [1, 1]);
    there[0]?.release();
    assert.deepEqual([limits.count, limits.sourceCount], [0, 0]);
  });

  it("counts a connection that was displaced once, when it closes, too", () => {
    const { limits, there, admit } = createDisplacing({ maxCount: 2 });
    assert.ok(admit("a"));
    const first = there[0];
    assert.ok(admit("a"));
    assert.ok(admit("a"));
    first?.release();
    assert.equal(limits.count, 2);
  });

  it("refuses one for which there is nobody to end, at the expense of nobody of another source", () => {
    const { limits, there, displaced, admit } = createDisplacing({ maxCount: 3, maxPerSource: 2 });
    for (const source of ["a", "a", "b"]) assert.ok(admit(source));
    // These stay whoever comes.
    there.splice(0, 2);
    assert.equal(admit("a"), false);
    assert.deepEqual(displaced, []);
    there.splice(0, 1);
    assert.equal(admit("c"), false);
    assert.deepEqual(limits.refused, { connections: 2, connectionsPerSource: 0, descriptors: 0 });
  });

  it("says once that others are ended, and once more when it comes to refusals", () => {
    const { logger, there, admit } = createDisplacing({ maxCount: 3, maxPerSource: 2 });
    for (let count = 0; count < 5; count++) admit("a");
    admit("b");
    for (const source of ["c", "d", "e"]) assert.ok(admit(source));
    there.splice(0);
    for (const source of ["a", "b", "a", "b"]) admit(source);
    assert.deepEqual(logger.messages("warn"), [
      "ending untrusted connections beyond 2 of one source; some.limits.connections_per_source",
      "ending untrusted connections beyond 3; some.limits.connections",
      "refusing connections beyond 3; some.limits.connections",
    ]);
  });
});
