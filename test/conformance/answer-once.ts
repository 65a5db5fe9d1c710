import type { Any } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import type { UnaryResponseDefinition } from "#conformance/connectrpc/conformance/v1/service_pb.js";
import { appendHeaders, requestInfo, toConnectError, type Answer } from "./answer-parts.js";

/**
 * Answers a call that has one answer, as the first of its requests defines it.
 *
 * @param seen - All its requests, to be shown in the answer or in the details of the error.
 * @throws ConnectError, if that is what is defined.
 */
export async function answerOnce(
  context: HandlerContext,
  definition: UnaryResponseDefinition | undefined,
  seen: Any[],
): Promise<Answer> {
  const info = requestInfo(context, seen);
  if (definition === undefined) return { payload: { requestInfo: info } };
  const { response, responseHeaders, responseTrailers, responseDelayMs } = definition;
  appendHeaders(context.responseHeader, responseHeaders);
  appendHeaders(context.responseTrailer, responseTrailers);
  await delay(responseDelayMs);
  if (response.case === "error") throw toConnectError(response.value, info);
  return { payload: { requestInfo: info, data: response.value ?? new Uint8Array() } };
}
