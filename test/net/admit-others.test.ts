import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { admitOthers } from "../../src/net/admit-others.js";
import type { Admit, ConnectionEnds } from "../../src/net/connection-limits.js";
import type { Endpoint } from "../../src/net/endpoint.js";

const ends = (port: number): ConnectionEnds => ({
  source: { host: "127.0.0.1", port },
  accepted: { host: "192.0.2.7", port: 10_085 },
});

const socket = new Socket();

describe("admitOthers()", () => {
  it("asks `admit` about all but our own connections, which are told of", () => {
    const asked: unknown[] = [];
    const told: Endpoint[] = [];
    const release = () => undefined;
    const limited: Admit = (...facts) => {
      asked.push(facts);
      return release;
    };
    const admit = admitOthers(limited, {
      isOwnConnection: ({ port }, { host }) => port === 1 && host === "192.0.2.7",
      onOwnConnection: (source) => told.push(source),
    });
    assert.equal(admit("127.0.0.1", ends(1), socket), undefined);
    assert.equal(admit("127.0.0.1", ends(2), socket), release);
    assert.deepEqual(asked, [["127.0.0.1", ends(2), socket]]);
    assert.deepEqual(told, [{ host: "127.0.0.1", port: 1 }]);
  });

  it("lets nobody in whom `admit` does not", () => {
    const admit = admitOthers(() => undefined, {
      isOwnConnection: () => false,
      onOwnConnection: () => assert.fail("it is not ours"),
    });
    assert.equal(admit("127.0.0.1", ends(1), socket), undefined);
  });

  it("is `admit` itself where nobody tells our own connections", () => {
    const limited: Admit = () => undefined;
    assert.equal(admitOthers(limited, { onOwnConnection: () => undefined }), limited);
  });
});
