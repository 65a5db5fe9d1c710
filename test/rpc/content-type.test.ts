import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isCall, isGrpc, isGrpcWeb, isGrpcWebText } from "../../src/rpc/content-type.js";

const kinds = [
  { contentType: "application/grpc", is: ["gRPC"] },
  { contentType: "application/grpc+proto", is: ["gRPC"] },
  { contentType: "application/grpc+json", is: ["gRPC"] },
  { contentType: "application/grpc;charset=utf-8", is: ["gRPC"] },
  { contentType: "APPLICATION/GRPC+PROTO", is: ["gRPC"] },
  { contentType: "application/grpc-web", is: ["gRPC-Web"] },
  { contentType: "application/grpc-web+proto", is: ["gRPC-Web"] },
  { contentType: "application/grpc-web;x", is: ["gRPC-Web"] },
  { contentType: "application/grpc-web-text", is: ["gRPC-Web", "text"] },
  { contentType: "Application/gRPC-Web-Text+proto", is: ["gRPC-Web", "text"] },
  { contentType: "application/json", is: ["Connect"] },
  { contentType: "application/json; charset=latin1", is: ["Connect"] },
  { contentType: "application/proto", is: ["Connect"] },
  { contentType: "application/connect+json", is: ["Connect"] },
  { contentType: "application/connect+proto", is: ["Connect"] },
  { contentType: "", is: [] },
  { contentType: "text/plain", is: [] },
  { contentType: "application/grpcx", is: [] },
  { contentType: "application/grpc-website", is: [] },
  { contentType: "application/jsonp", is: [] },
  { contentType: "application/connect", is: [] },
  { contentType: "text/application/grpc", is: [] },
  { contentType: " application/grpc", is: [] },
];

describe("a content type", () => {
  for (const { contentType, is } of kinds) {
    it(`${JSON.stringify(contentType)} is ${is.join(", ") || "no call's"}`, () => {
      assert.equal(isGrpc(contentType), is.includes("gRPC"));
      assert.equal(isGrpcWeb(contentType), is.includes("gRPC-Web"));
      assert.equal(isGrpcWebText(contentType), is.includes("text"));
      assert.equal(isCall(contentType), is.length > 0);
    });
  }
});
