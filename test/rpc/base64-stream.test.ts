import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/rpc/base64-stream.js";

async function* chunksOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const list = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
}

async function decoded(...chunks: readonly string[]): Promise<string> {
  return (await all(decodeBase64(chunksOf(...chunks)))).toString("latin1");
}

describe("decodeBase64()", () => {
  const good: readonly (readonly [chunks: readonly string[], expected: string])[] = [
    [[], ""],
    [[""], ""],
    [["YQ=="], "a"],
    [["YWI="], "ab"],
    [["YWJj"], "abc"],
    [["YWJjYQ=="], "abca"],
    [["YQ==YWI=YWJj"], "aababc"],
    [["YQ==", "YQ=="], "aa"],
    [["Y", "Q", "=", "="], "a"],
    [["YQ=", "=Y", "WI="], "aab"],
    [["+/+/"], "\xfb\xff\xbf"],
  ];
  for (const [chunks, expected] of good) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(chunks)}`, async () => {
      assert.equal(await decoded(...chunks), expected);
    });
  }

  const bad: readonly (readonly string[])[] = [
    ["Y"],
    ["YQ"],
    ["YQ="],
    ["YWJjY"],
    ["===="],
    ["Y==="],
    ["YQ=Y"],
    ["YQ=a=YQ="],
    ["=YQ="],
    ["YWJj===="],
    ["-_-_"],
    ["YW J"],
    ["YQ==\r\n\r\n"],
    ["YWJ\u0000"],
    ["\xff\xff\xff\xff"],
    ['{"name":"x"}'],
  ];
  for (const chunks of bad) {
    it(`refuses ${JSON.stringify(chunks)}`, async () => {
      await assert.rejects(decoded(...chunks), (error) => {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, Code.InvalidArgument);
        return true;
      });
    });
  }

  it("hands on what it has before the rest comes", async () => {
    const never = (async function* () {
      yield Buffer.from("YWJjYW");
      await new Promise(() => undefined);
    })();
    const { value } = await decodeBase64(never).next();
    assert.equal(Buffer.from(value ?? []).toString(), "abc");
  });

  it("decodes whatever was encoded, cut anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.array(fc.nat(12)),
        async (parts, cuts) => {
          const texts = (await all(encodeBase64(chunksOf(...parts)))).toString();
          const pieces = [];
          let start = 0;
          for (const cut of cuts) pieces.push(texts.slice(start, (start += cut)));
          assert.deepEqual(
            await all(decodeBase64(chunksOf(...pieces, texts.slice(start)))),
            Buffer.concat(parts),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("takes a megabyte of one-byte texts in its stride", async () => {
    assert.equal((await decoded("YQ==".repeat(2 ** 18))).length, 2 ** 18);
  });
});

describe("encodeBase64()", () => {
  it("encodes each chunk by itself, as it comes", async () => {
    const texts = [];
    for await (const chunk of encodeBase64(chunksOf("a", "abc", "ab")))
      texts.push(Buffer.from(chunk).toString());
    assert.deepEqual(texts, ["YQ==", "YWJj", "YWI="]);
  });

  it("encodes the part of a buffer that a chunk is", async () => {
    const whole = Buffer.from("xxabcxx");
    assert.equal((await all(encodeBase64(chunksOf(whole.subarray(2, 5))))).toString(), "YWJj");
  });
});
