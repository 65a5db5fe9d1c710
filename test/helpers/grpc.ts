import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  GetStatsRequestSchema,
  GetStatsResponseSchema,
  QueryStatsRequestSchema,
} from "#gen/v2ray/core/app/stats/command/command_pb.js";

/** Puts a message into gRPC's envelope: one byte of flags, four of length. */
export function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Takes the envelopes of a body apart. */
export function envelopesOf(body: Buffer): { readonly flags: number; readonly data: Buffer }[] {
  const envelopes = [];
  for (let start = 0; start < body.length;) {
    const end = start + 5 + body.readUInt32BE(start + 1);
    envelopes.push({ flags: body.readUInt8(start), data: body.subarray(start + 5, end) });
    start = end;
  }
  return envelopes;
}

/** A request of GetStats in binary. */
export function getStatsRequest(init: MessageInitShape<typeof GetStatsRequestSchema>): Uint8Array {
  return toBinary(GetStatsRequestSchema, create(GetStatsRequestSchema, init));
}

/** A request of QueryStats in binary. */
export function queryStatsRequest(init: MessageInitShape<typeof QueryStatsRequestSchema>): Uint8Array {
  return toBinary(QueryStatsRequestSchema, create(QueryStatsRequestSchema, init));
}

/** The value in a binary answer of GetStats. */
export function getStatsValue(message: Uint8Array): bigint | undefined {
  return fromBinary(GetStatsResponseSchema, message).stat?.value;
}
