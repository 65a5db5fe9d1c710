import { toBinary, fromJson, type DescMessage, type JsonValue } from "@bufbuild/protobuf";
import { envelope, envelopesOf } from "./grpc.js";
import type { HttpAnswer } from "./raw-http.js";

/** A request message, in both of its forms. */
export interface CallMessage {
  readonly json: string;
  readonly binary: Uint8Array;
}

/** A protocol, as it puts one call on the wire. */
export interface CallProtocol {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (message: CallMessage) => string | Uint8Array;
  /** The number of the gRPC code that an answer has; `?` and the status where it has none. */
  readonly codeOf: (answer: HttpAnswer) => string;
}

/** A message of that kind, from its JSON. */
export function messageOf(schema: DescMessage, json: JsonValue): CallMessage {
  return { json: JSON.stringify(json), binary: toBinary(schema, fromJson(schema, json)) };
}

/** The statuses of Connect that tests of who may call meet, with their codes. */
const connectCodes: Readonly<Record<number, string>> = { 200: "0", 401: "16", 403: "7" };

function connectCodeOf({ status, headers }: HttpAnswer): string {
  // RFC 9110 §11.6.1: a 401 that does not say what to come with is none.
  const isWhole = status !== 401 || headers["www-authenticate"] === "Bearer";
  return (isWhole ? connectCodes[status] : undefined) ?? `? ${status}`;
}

function grpcWeb(contentType: string, isText: boolean): CallProtocol {
  return {
    protocol: isText ? "gRPC-Web's text form" : "gRPC-Web",
    headers: { "content-type": contentType },
    body: ({ binary }) => {
      const body = envelope(binary);
      return isText ? body.toString("base64") : body;
    },
    codeOf: (answer) => {
      const trailers = envelopesOf(bodyOf(answer)).at(-1)?.data.toString() ?? "";
      return /grpc-status: *(\d+)/i.exec(trailers)?.[1] ?? `? ${answer.status}`;
    },
  };
}

/** The body of an answer, in binary also where gRPC-Web has it as text: each piece of that may have its own padding. */
export function bodyOf({ headers, body }: Pick<HttpAnswer, "headers" | "body">): Buffer {
  if (!String(headers["content-type"]).startsWith("application/grpc-web-text")) return body;
  const groups = body.toString().match(/.{1,4}/g) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}

/** Every protocol that carries a call. */
export const protocols: readonly CallProtocol[] = [
  {
    protocol: "gRPC",
    headers: { "content-type": "application/grpc", te: "trailers" },
    body: ({ binary }) => envelope(binary),
    codeOf: ({ status, headers, trailers }) => {
      const code = headers["grpc-status"] ?? trailers["grpc-status"];
      return typeof code === "string" ? code : `? ${status}`;
    },
  },
  grpcWeb("application/grpc-web", false),
  grpcWeb("application/grpc-web-text", true),
  {
    protocol: "Connect with JSON",
    headers: { "content-type": "application/json" },
    body: ({ json }) => json,
    codeOf: connectCodeOf,
  },
  {
    protocol: "Connect in binary",
    headers: { "content-type": "application/proto" },
    body: ({ binary }) => binary,
    codeOf: connectCodeOf,
  },
];
