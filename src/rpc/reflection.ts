import { Code, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.js";
import { DescriptorIndex } from "./descriptor-index.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { createStreamGate } from "./stream-gate.js";
import { untilAborted } from "./until-aborted.js";

export interface ReflectionOptions {
  /** Aborts when the server stops: streams that wait for a further question end then. */
  readonly stopping: AbortSignal;
  /**
   * How long a stream may last, in milliseconds. Then it ends well, and a client who has more questions opens another one;
   * the server cuts requests that do not end in time. Default: 30,000.
   */
  readonly maxStreamMs?: number;
  /** How many streams may be open at the same time, of both versions. Default: 64. Further ones are RESOURCE_EXHAUSTED. */
  readonly maxStreams?: number;
  /** Told of every call that finds no room. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** A question, as both versions put it. */
interface ReflectionRequest {
  readonly host: string;
  readonly messageRequest: Question;
}

type Question =
  | { readonly case: "fileByFilename"; readonly value: string }
  | { readonly case: "fileContainingSymbol"; readonly value: string }
  | {
      readonly case: "fileContainingExtension";
      readonly value: { readonly containingType: string; readonly extensionNumber: number };
    }
  | { readonly case: "allExtensionNumbersOfType"; readonly value: string }
  | { readonly case: "listServices"; readonly value: string }
  | { readonly case: undefined };

type Answer =
  | { readonly case: "fileDescriptorResponse"; readonly value: { fileDescriptorProto: Uint8Array[] } }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { readonly case: "listServicesResponse"; readonly value: { service: { name: string }[] } }
  | { readonly case: "errorResponse"; readonly value: { errorCode: number; errorMessage: string } };

interface ReflectionResponse<R> {
  readonly validHost: string;
  readonly originalRequest: R;
  readonly messageResponse: Answer;
}

/**
 * Registers gRPC's server reflection, v1 and v1alpha, with which clients that have no .proto file find out what there is to
 * call: everything that the router serves, this included.
 *
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function registerReflection(
  router: ConnectRouter,
  { stopping, maxStreamMs = 30_000, maxStreams = 64, refusals = createRefusalTally() }: ReflectionOptions,
): void {
  const letIn = createStreamGate({ maxCount: maxStreams, what: "streams of reflection are open", refusals });
  let known: DescriptorIndex | undefined;
  // Made when somebody asks: few do, and by then the router has everything.
  const index = (): DescriptorIndex =>
    (known ??= new DescriptorIndex(new Set(router.handlers.map(({ service }) => service))));

  async function* serverReflectionInfo<R extends ReflectionRequest>(
    requests: AsyncIterable<R>,
    context: HandlerContext,
  ): AsyncGenerator<ReflectionResponse<R>, void, undefined> {
    letIn(context);
    const { signal } = context;
    const overdue = new AbortController();
    const timer = setTimeout(() => {
      overdue.abort();
    }, maxStreamMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
    });
    for await (const request of untilAborted(requests, stopping, overdue.signal, signal)) {
      const { host, messageRequest } = request;
      const messageResponse = answer(index(), messageRequest);
      yield { validHost: host, originalRequest: request, messageResponse };
    }
    signal.throwIfAborted();
  }

  router.service(ServerReflection, { serverReflectionInfo });
  router.service(ServerReflectionV1Alpha, { serverReflectionInfo });
}

function answer(index: DescriptorIndex, question: Question): Answer {
  switch (question.case) {
    case "fileByFilename":
      return fileAnswer(index.fileNamed(question.value), `file ${JSON.stringify(question.value)}`);
    case "fileContainingSymbol":
      return fileAnswer(index.fileOf(question.value), `symbol ${JSON.stringify(question.value)}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      return fileAnswer(
        index.fileOfExtension(containingType, extensionNumber),
        `extension ${extensionNumber} of ${JSON.stringify(containingType)}`,
      );
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      if (extensionNumber === undefined) return notFound(`type ${JSON.stringify(question.value)}`);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: question.value, extensionNumber },
      };
    }
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: index.serviceNames.map((name) => ({ name })) },
      };
    case undefined:
      return {
        case: "errorResponse",
        value: {
          errorCode: Code.InvalidArgument,
          errorMessage: "the request asks for nothing that is known here",
        },
      };
  }
}

function fileAnswer(fileDescriptorProto: Uint8Array[] | undefined, what: string): Answer {
  if (fileDescriptorProto === undefined) return notFound(what);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

/** The stream goes on: clients ask for one thing after another. */
function notFound(what: string): Answer {
  return { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `${what} not found` } };
}
