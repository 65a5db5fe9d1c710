import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type Error as ErrorDefinition,
  type Header,
} from "#conformance/connectrpc/conformance/v1/service_pb.js";

/** An answer to a call of any of the methods. */
export interface Answer {
  readonly payload: MessageInitShape<typeof ConformancePayloadSchema>;
}

/** What an answer shows of its call. */
export type RequestInfo = MessageInitShape<typeof ConformancePayload_RequestInfoSchema>;

/** Connect's codes by their numbers, which are gRPC's. */
const codes = new Map<number, Code>(
  Object.values(Code)
    .filter((code) => typeof code === "number")
    .map((code) => [code, code]),
);

/** What arrived: headers, deadline, the query of a GET, messages. */
export function requestInfo(context: HandlerContext, requests: Any[]): RequestInfo {
  const timeoutMs = context.timeoutMs();
  return {
    requestHeaders: toHeaders(context.requestHeader),
    ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.trunc(timeoutMs)) }),
    requests,
    ...(context.requestMethod === "GET"
      ? { connectGetInfo: { queryParams: toHeaders(new URL(context.url).searchParams) } }
      : {}),
  };
}

/** The error that a request defines, with what arrived among its details unless an answer has shown that before. */
export function toConnectError(
  { code, message, details }: ErrorDefinition,
  info: RequestInfo | undefined,
): ConnectError {
  const shown = info === undefined ? [] : [{ desc: ConformancePayload_RequestInfoSchema, value: info }];
  const error = new ConnectError(message ?? "", codes.get(code), undefined, shown);
  for (const { typeUrl, value } of details) {
    error.details.push({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value });
  }
  return error;
}

export function appendHeaders(to: Headers, headers: readonly Header[]): void {
  for (const { name, value } of headers) for (const item of value) to.append(name, item);
}

function toHeaders(entries: Iterable<[string, string]>): { name: string; value: string[] }[] {
  return Array.from(entries, ([name, value]) => ({ name, value: [value] }));
}
