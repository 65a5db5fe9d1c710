import type { OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  errorToJsonBytes,
  parseTimeout as parseConnectTimeout,
} from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { compressedFlag, type Compression } from "@connectrpc/connect/protocol";
import { encodeGrpcMessage } from "../grpc-message.js";
import type { Pieces } from "./hot-method.js";

/** The answer to a call, as HTTP carries it. */
export interface Reply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Pieces;
  readonly trailers?: OutgoingHttpHeaders;
}

/** One of the three protocols in one of its forms, for unary calls whose request is not compressed. */
export interface HotProtocol {
  /** Whether its messages are in protobuf's binary form. Otherwise they are in its JSON. */
  readonly isBinary: boolean;
  /** The header that says how the request is compressed. */
  readonly encodingHeader: string;
  /** The header that says what the answer may be compressed with. */
  readonly acceptHeader: string;
  /** The header that says how long the caller waits. */
  readonly timeoutHeader: string;
  readonly parseTimeout: (text: string | null) => {
    timeoutMs?: number | undefined;
    error?: ConnectError | undefined;
  };
  /** Whether a request's message is in an envelope, which says how long it is. Otherwise HTTP does. */
  readonly isEnveloped: boolean;
  /** How many bytes a body may have that begins so; 0 if its beginning says that something about it is unusual. */
  readonly maxBodyLength: (beginning: Uint8Array, maxMessageLength: number) => number;
  /** The message in the body of a request; nothing if there is not exactly one that is whole and plain. */
  readonly unwrap: (body: Uint8Array) => Uint8Array | undefined;
  readonly succeed: (message: Pieces, compression: Compression | undefined) => Promise<Reply> | Reply;
  readonly fail: (error: ConnectError, compression: Compression | undefined) => Promise<Reply> | Reply;
}

/** Smaller messages are sent as they are, as Connect does. */
const leastCompressedLength = 1_024;
const envelopeLength = 5;
/** To copy as much costs less than to write its pieces one by one. */
const mostCopiedLength = 64 * 1024;

/** gRPC, with messages in protobuf's binary form or in its JSON. */
export const hotGrpc = createGrpc("proto");
export const hotGrpcJson = createGrpc("json");
export const hotGrpcWeb = createGrpcWeb("proto");
export const hotGrpcWebJson = createGrpcWeb("json");
export const hotConnect = createConnect("proto");
export const hotConnectJson = createConnect("json");

/** What messages are written in, as content types call it. */
type Codec = "proto" | "json";

function createGrpc(codec: Codec): HotProtocol {
  const contentType = `application/grpc+${codec}`;
  return {
    isBinary: codec === "proto",
    encodingHeader: "grpc-encoding",
    acceptHeader: "grpc-accept-encoding",
    timeoutHeader: "grpc-timeout",
    parseTimeout: (text) => parseGrpcTimeout(text, Infinity),
    isEnveloped: true,
    maxBodyLength: maxEnvelopeLength,
    unwrap: unwrapEnvelope,
    succeed: async (message, compression) => ({
      status: 200,
      headers: grpcHeaders(contentType, compression),
      body: await wrap(0, message, compression),
      trailers: { "grpc-status": "0" },
    }),
    fail: (error, compression) => ({
      status: 200,
      headers: grpcHeaders(contentType, compression),
      body: [],
      trailers: {
        ...Object.fromEntries(setTrailerStatus(new Headers(), error)),
        "grpc-message": encodeGrpcMessage(error.rawMessage),
      },
    }),
  };
}

function createGrpcWeb(codec: Codec): HotProtocol {
  const contentType = `application/grpc-web+${codec}`;
  return {
    ...createGrpc(codec),
    succeed: async (message, compression) => ({
      status: 200,
      headers: grpcHeaders(contentType, compression),
      body: [...(await wrap(0, message, compression)), endOfGrpcWeb()],
    }),
    fail: async (error, compression) => {
      const trailer = trailerSerialize(setTrailerStatus(new Headers(), error));
      return {
        status: 200,
        headers: grpcHeaders(contentType, compression),
        body: await wrap(trailerFlag, [trailer], compression),
      };
    },
  };
}

function createConnect(codec: Codec): HotProtocol {
  return {
    isBinary: codec === "proto",
    encodingHeader: "content-encoding",
    acceptHeader: "accept-encoding",
    timeoutHeader: "connect-timeout-ms",
    parseTimeout: (text) => parseConnectTimeout(text, Infinity),
    isEnveloped: false,
    maxBodyLength: (_, maxMessageLength) => maxMessageLength,
    unwrap: (body) => body,
    succeed: async (message, compression) =>
      connectReply(200, { "content-type": `application/${codec}` }, message, compression),
    fail: async (error, compression) =>
      connectReply(
        codeToHttpStatus(error.code),
        { "content-type": "application/json", ...Object.fromEntries(error.metadata) },
        [errorToJsonBytes(error, undefined)],
        compression,
      ),
  };
}

const byContentType = new Map([
  ["application/grpc", hotGrpc],
  ["application/grpc+proto", hotGrpc],
  ["application/grpc+json", hotGrpcJson],
  ["application/grpc-web", hotGrpcWeb],
  ["application/grpc-web+proto", hotGrpcWeb],
  ["application/grpc-web+json", hotGrpcWebJson],
  ["application/proto", hotConnect],
  ["application/json", hotConnectJson],
  ["application/json; charset=utf-8", hotConnectJson],
]);

/** @returns the protocol of a request, by its content type as clients write it. */
export function hotProtocolOf(contentType: string | undefined): HotProtocol | undefined {
  return contentType === undefined ? undefined : byContentType.get(contentType);
}

/** What a call ends with that threw: what is not meant for the caller stays here. */
export function toCallError(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}

function maxEnvelopeLength(beginning: Uint8Array, maxMessageLength: number): number {
  if (beginning.length > 0 && beginning[0] !== 0) return 0;
  if (beginning.length < envelopeLength) return envelopeLength;
  const length = messageLengthIn(beginning);
  return length > maxMessageLength ? 0 : envelopeLength + length;
}

function unwrapEnvelope(body: Uint8Array): Uint8Array | undefined {
  if (body.length < envelopeLength || body[0] !== 0) return undefined;
  return messageLengthIn(body) === body.length - envelopeLength ? body.subarray(envelopeLength) : undefined;
}

function messageLengthIn(body: Uint8Array): number {
  return new DataView(body.buffer, body.byteOffset).getUint32(1);
}

/** A message in its envelope, compressed where that is wanted and it is large enough. */
async function wrap(flags: number, message: Pieces, compression: Compression | undefined): Promise<Pieces> {
  if (compression === undefined || lengthOf(message) < leastCompressedLength) return envelope(flags, message);
  return envelope(flags | compressedFlag, [await compression.compress(Buffer.concat(message))]);
}

/** Flags, four bytes of length, and the message: as one piece, unless it were long to copy. */
function envelope(flags: number, message: Pieces): Pieces {
  const length = lengthOf(message);
  const isLong = length > mostCopiedLength;
  const piece = Buffer.allocUnsafe(isLong ? envelopeLength : envelopeLength + length);
  piece[0] = flags;
  piece.writeUInt32BE(length, 1);
  if (isLong) return [piece, ...message];
  let at = envelopeLength;
  for (const part of message) {
    piece.set(part, at);
    at += part.length;
  }
  return [piece];
}

function grpcHeaders(contentType: string, compression: Compression | undefined): OutgoingHttpHeaders {
  return compression === undefined
    ? { "content-type": contentType }
    : { "content-type": contentType, "grpc-encoding": compression.name };
}

async function connectReply(
  status: number,
  headers: OutgoingHttpHeaders,
  message: Pieces,
  compression: Compression | undefined,
): Promise<Reply> {
  const length = lengthOf(message);
  if (compression === undefined || length < leastCompressedLength) {
    return { status, headers: { "content-length": length, ...headers }, body: message };
  }
  const body = await compression.compress(Buffer.concat(message));
  return {
    status,
    headers: { "content-encoding": compression.name, "content-length": body.length, ...headers },
    body: [body],
  };
}

function lengthOf(pieces: Pieces): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

let okTrailer: Uint8Array | undefined;

/** What ends an answer of gRPC-Web. It is made when it is needed: who makes headers has Node load all of fetch(). */
function endOfGrpcWeb(): Uint8Array {
  okTrailer ??= Buffer.concat(
    envelope(trailerFlag, [trailerSerialize(setTrailerStatus(new Headers(), undefined))]),
  );
  return okTrailer;
}
