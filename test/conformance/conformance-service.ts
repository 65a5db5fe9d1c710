import { anyPack, type Any } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  type ConformanceService,
  type UnaryResponseDefinition,
} from "#conformance/connectrpc/conformance/v1/service_pb.js";
import { answerOnce } from "./answer-once.js";
import { StreamAnswer } from "./stream-answer.js";

/**
 * The ConformanceService as service.proto describes it: each call answers what its request tells it to, and shows what
 * arrived. `Unimplemented` is left out, as it must be.
 */
export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  unary: async (request, context) =>
    answerOnce(context, request.responseDefinition, [anyPack(UnaryRequestSchema, request)]),

  idempotentUnary: async (request, context) =>
    answerOnce(context, request.responseDefinition, [anyPack(IdempotentUnaryRequestSchema, request)]),

  async clientStream(requests, context) {
    const seen: Any[] = [];
    let definition: UnaryResponseDefinition | undefined;
    for await (const request of requests) {
      if (seen.length === 0) definition = request.responseDefinition;
      seen.push(anyPack(ClientStreamRequestSchema, request));
    }
    return answerOnce(context, definition, seen);
  },

  async *serverStream(request, context) {
    const answer = new StreamAnswer(context, request.responseDefinition);
    answer.see(anyPack(ServerStreamRequestSchema, request));
    yield* answer.rest();
  },

  async *bidiStream(requests, context) {
    let answer: StreamAnswer | undefined;
    let isFullDuplex = false;
    for await (const request of requests) {
      if (answer === undefined) {
        answer = new StreamAnswer(context, request.responseDefinition);
        isFullDuplex = request.fullDuplex;
      }
      answer.see(anyPack(BidiStreamRequestSchema, request));
      if (!isFullDuplex) continue;
      if (answer.isComplete) break;
      yield answer.next();
    }
    if (answer !== undefined) yield* answer.rest();
  },
};
