import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LargeRequests, watchRequestSize } from "../../src/rpc/request-size.js";
import { envelope } from "../helpers/grpc.js";
import { createRandom, randomPieces } from "../helpers/random.js";

/** How often it is told of a request whose body comes in these pieces, and what is left of the body. */
async function watch(
  pieces: readonly Uint8Array[],
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
) {
  let largeCount = 0;
  const onLarge = (): void => {
    largeCount += 1;
  };
  async function* body() {
    for (const piece of pieces) yield Promise.resolve(piece);
  }
  const passed: Uint8Array[] = [];
  for await (const piece of watchRequestSize(body(), headers, { maxBytes, onLarge })) passed.push(piece);
  assert.deepEqual(Buffer.concat(passed), Buffer.concat(pieces));
  return largeCount;
}

describe("watchRequestSize()", () => {
  const random = createRandom(8);
  for (const type of ["application/grpc", "application/grpc-web-text", "application/connect+proto"]) {
    it(`goes by the envelope: ${type}`, async () => {
      const headers = { "content-type": type };
      for (let round = 0; round < 20; round++) {
        const pieces = randomPieces(random, envelope(Buffer.alloc(100)), 10);
        assert.equal(await watch(pieces, headers, 100), 0);
        assert.equal(await watch(pieces, headers, 99), 1);
      }
      assert.equal(await watch([Buffer.from([0, 0xff, 0xff, 0xff, 0xff])], headers, 2 ** 31), 1);
      assert.equal(await watch([Buffer.from([0, 0xff])], headers, 0), 0);
    });
  }

  it("goes by what comes where there is no envelope", async () => {
    const headers = { "content-type": "application/json" };
    assert.equal(await watch([Buffer.alloc(60), Buffer.alloc(40)], headers, 100), 0);
    assert.equal(await watch([Buffer.alloc(60), Buffer.alloc(41), Buffer.alloc(9)], headers, 100), 1);
  });

  it("goes by the length that was announced, since nobody reads it then", async () => {
    const headers = { "content-type": "application/proto", "content-length": "101" };
    assert.equal(await watch([], headers, 100), 1);
    assert.equal(await watch([], headers, 101), 0);
  });
});

describe("LargeRequests", () => {
  it("hands each out once", () => {
    const requests = new LargeRequests();
    assert.equal(requests.takeOne(), false);
    requests.add();
    requests.add();
    assert.deepEqual([requests.takeOne(), requests.takeOne(), requests.takeOne()], [true, true, false]);
  });
});
