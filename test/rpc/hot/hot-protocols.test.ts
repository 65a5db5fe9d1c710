import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  hotConnect,
  hotConnectJson,
  hotGrpc,
  hotGrpcJson,
  hotGrpcWeb,
  hotGrpcWebJson,
  hotProtocolOf,
  toCallError,
} from "../../../src/rpc/hot/hot-protocols.js";
import { createCheapGzip } from "../../../src/rpc/gzip.js";
import { envelope, envelopesOf } from "../../helpers/grpc.js";

const message = Buffer.from("message");

describe("hotProtocolOf()", () => {
  for (const { contentType, protocol } of [
    { contentType: "application/grpc", protocol: hotGrpc },
    { contentType: "application/grpc+proto", protocol: hotGrpc },
    { contentType: "application/grpc-web", protocol: hotGrpcWeb },
    { contentType: "application/grpc-web+proto", protocol: hotGrpcWeb },
    { contentType: "application/proto", protocol: hotConnect },
    { contentType: "application/json", protocol: hotConnectJson },
    { contentType: "application/json; charset=utf-8", protocol: hotConnectJson },
    { contentType: "application/grpc+json", protocol: hotGrpcJson },
    { contentType: "application/grpc-web+json", protocol: hotGrpcWebJson },
    { contentType: "application/json; charset=latin1", protocol: undefined },
    { contentType: "application/connect+json", protocol: undefined },
    { contentType: "application/grpc-web-text", protocol: undefined },
    { contentType: "Application/grpc", protocol: undefined },
    { contentType: "application/grpc; charset=utf-8", protocol: undefined },
    { contentType: "constructor", protocol: undefined },
    { contentType: "", protocol: undefined },
    { contentType: undefined, protocol: undefined },
  ]) {
    it(`${protocol === undefined ? "knows nothing of" : "knows"} ${JSON.stringify(contentType ?? "none")}`, () => {
      assert.equal(hotProtocolOf(contentType), protocol);
    });
  }
});

describe("a body in an envelope", () => {
  for (const { what, body, unwrapped } of [
    { what: "one message", body: envelope(message), unwrapped: "message" },
    { what: "an empty message", body: envelope(Buffer.alloc(0)), unwrapped: "" },
    { what: "nothing", body: Buffer.alloc(0), unwrapped: undefined },
    { what: "half a head", body: envelope(message).subarray(0, 4), unwrapped: undefined },
    { what: "a head alone", body: envelope(message).subarray(0, 5), unwrapped: undefined },
    { what: "all but its end", body: envelope(message).subarray(0, -1), unwrapped: undefined },
    {
      what: "one byte more",
      body: Buffer.concat([envelope(message), Buffer.alloc(1)]),
      unwrapped: undefined,
    },
    { what: "two", body: Buffer.concat([envelope(message), envelope(message)]), unwrapped: undefined },
    { what: "a compressed one", body: envelope(message, 1), unwrapped: undefined },
    { what: "trailers", body: envelope(message, 0x80), unwrapped: undefined },
  ]) {
    it(`is ${unwrapped === undefined ? "left to others" : "taken out of it"}: ${what}`, () => {
      for (const { unwrap } of [hotGrpc, hotGrpcWeb]) {
        const found = unwrap(body);
        assert.equal(found && Buffer.from(found).toString(), unwrapped);
      }
    });
  }

  it("is found within a larger piece of memory", () => {
    const larger = Buffer.concat([Buffer.alloc(100, 0xff), envelope(message), Buffer.alloc(100, 0xff)]);
    const found = hotGrpc.unwrap(larger.subarray(100, 100 + 5 + message.length));
    assert.equal(found && Buffer.from(found).toString(), "message");
  });

  for (const { what, beginning, longest } of [
    { what: "nothing yet", beginning: Buffer.alloc(0), longest: 5 },
    { what: "half a head", beginning: Buffer.from([0, 0, 0]), longest: 5 },
    { what: "a head", beginning: Buffer.from([0, 0, 0, 0, 7]), longest: 12 },
    { what: "a head and more", beginning: envelope(message), longest: 12 },
    { what: "the most", beginning: Buffer.from([0, 0, 0, 0, 100]), longest: 105 },
    { what: "one more than the most", beginning: Buffer.from([0, 0, 0, 0, 101]), longest: 0 },
    { what: "4 GiB", beginning: Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), longest: 0 },
    { what: "flags", beginning: Buffer.from([1]), longest: 0 },
  ]) {
    it(`may have ${longest} bytes when it begins with ${what}`, () => {
      assert.equal(hotGrpc.maxBodyLength(beginning, 100), longest);
      assert.equal(hotGrpcWeb.maxBodyLength(beginning, 100), longest);
    });
  }
});

describe("a bare body", () => {
  it("is the message, and may be as long as one may", () => {
    assert.equal(hotConnect.unwrap(message), message);
    assert.equal(hotConnect.maxBodyLength(message, 100), 100);
    assert.equal(hotConnect.maxBodyLength(Buffer.alloc(0), 100), 100);
  });
});

describe("an answer", () => {
  it("is a message and trailers in gRPC", async () => {
    const { status, headers, body, trailers } = await hotGrpc.succeed([message], undefined);
    assert.equal(status, 200);
    assert.deepEqual(headers, { "content-type": "application/grpc+proto" });
    assert.deepEqual(Buffer.concat(body), envelope(message));
    assert.deepEqual(trailers, { "grpc-status": "0" });
  });

  it("is a message and a frame of trailers in gRPC-Web", async () => {
    const { headers, body, trailers } = await hotGrpcWeb.succeed([message], undefined);
    assert.deepEqual(headers, { "content-type": "application/grpc-web+proto" });
    assert.equal(trailers, undefined);
    assert.deepEqual(
      envelopesOf(Buffer.concat(body)).map(({ flags, data }) => [flags, data.toString()]),
      [
        [0, "message"],
        [0x80, "grpc-status: 0\r\n"],
      ],
    );
  });

  it("is the message with its length in Connect", async () => {
    const { headers, body, trailers } = await hotConnect.succeed([message, message], undefined);
    assert.deepEqual(headers, { "content-type": "application/proto", "content-length": 14 });
    assert.equal(Buffer.concat(body).toString(), "messagemessage");
    assert.equal(trailers, undefined);
  });

  for (const { protocol, name } of [
    { protocol: hotGrpc, name: "gRPC" },
    { protocol: hotGrpcWeb, name: "gRPC-Web" },
    { protocol: hotConnect, name: "Connect" },
  ]) {
    it(`keeps its pieces in order, few and many bytes: ${name}`, async () => {
      for (const length of [1, 1_000, 20_000]) {
        const pieces = [Buffer.alloc(length, "a"), Buffer.alloc(length, "b"), Buffer.alloc(length, "c")];
        const { body } = await protocol.succeed(pieces, undefined);
        const text = Buffer.concat(body).toString("latin1");
        assert.ok(text.includes("a".repeat(length) + "b".repeat(length) + "c".repeat(length)));
      }
    });

    it(`is compressed from 1,024 bytes on, if the caller takes that: ${name}`, async () => {
      const less = await protocol.succeed([Buffer.alloc(1_000), Buffer.alloc(23)], createCheapGzip());
      assert.ok(Buffer.concat(less.body).length >= 1_023);
      const enough = await protocol.succeed([Buffer.alloc(1_000), Buffer.alloc(24)], createCheapGzip());
      assert.ok(Buffer.concat(enough.body).length < 200);
    });
  }
});

describe("toCallError()", () => {
  it("is what was thrown, if it was meant for the caller", () => {
    const error = new ConnectError("no", Code.NotFound);
    assert.equal(toCallError(error), error);
  });

  it("tells nothing of anything else", () => {
    for (const thrown of [new Error("secret"), "secret", undefined]) {
      const { code, rawMessage, cause } = toCallError(thrown);
      assert.deepEqual(
        { code, rawMessage, cause },
        { code: Code.Internal, rawMessage: "internal error", cause: thrown },
      );
    }
  });
});
