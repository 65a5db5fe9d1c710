import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAsyncIterable, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { encodeGrpcMessage, withPlainGrpcMessage } from "../../src/rpc/grpc-message.js";
import { createRandom } from "../helpers/random.js";

describe("encodeGrpcMessage()", () => {
  for (const { text, encoded } of [
    { text: "", encoded: "" },
    {
      text: "user>>>a@b.c>>>traffic>>>uplink not found.",
      encoded: "user>>>a@b.c>>>traffic>>>uplink not found.",
    },
    { text: "a: b, c; d/e?f#g&h=i+j", encoded: "a: b, c; d/e?f#g&h=i+j" },
    { text: "100%", encoded: "100%25" },
    { text: "%20", encoded: "%2520" },
    { text: " a  b ", encoded: "%20a  b%20" },
    { text: "a\r\nb\t\0\x7f", encoded: "a%0D%0Ab%09%00%7F" },
    { text: "é🦊", encoded: "%C3%A9%F0%9F%A6%8A" },
  ]) {
    it(`writes ${JSON.stringify(text)} as ${encoded}`, () => {
      assert.equal(encodeGrpcMessage(text), encoded);
    });
  }

  it("writes nothing but printable ASCII, and what every client decodes", () => {
    const random = createRandom(1);
    for (let round = 0; round < 500; round++) {
      const text = random.bytes(40).toString("utf8");
      const encoded = encodeGrpcMessage(text);
      assert.match(encoded, /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
      assert.equal(decodeURIComponent(encoded), text);
    }
  });

  it("cuts what would not fit into a block of headers, between characters", () => {
    const long = "é".repeat(60_000);
    assert.equal(decodeURIComponent(encodeGrpcMessage(long)), `${"é".repeat(1_999)}…`);
    assert.equal(encodeGrpcMessage("a".repeat(2_000)), "a".repeat(2_000));
    const foxes = encodeGrpcMessage(`a${"🦊".repeat(2_000)}`);
    assert.equal(decodeURIComponent(foxes), `a${"🦊".repeat(999)}…`);
  });

  it("throws for half a surrogate pair", () => {
    assert.throws(() => encodeGrpcMessage("\ud800"), URIError);
  });
});

describe("withPlainGrpcMessage()", () => {
  function answerWith(trailer?: Headers): UniversalServerResponse {
    return { status: 200, body: createAsyncIterable([]), ...(trailer === undefined ? {} : { trailer }) };
  }

  it("encodes the message that is there when the trailers are read", () => {
    const trailer = new Headers({ "grpc-status": "0" });
    const answer = withPlainGrpcMessage(answerWith(trailer));
    trailer.set("grpc-message", encodeURIComponent("a@b: 1%"));
    assert.equal(answer.trailer?.get("grpc-message"), "a@b: 1%25");
    assert.equal(answer.trailer.get("grpc-message"), "a@b: 1%25");
    assert.equal(answer.trailer.get("grpc-status"), "0");
    assert.equal(answer.status, 200);
  });

  it("adds no message where there is none, and no trailers", () => {
    assert.equal(withPlainGrpcMessage(answerWith(new Headers())).trailer?.has("grpc-message"), false);
    const answer = answerWith();
    assert.equal(withPlainGrpcMessage(answer), answer);
  });
});
