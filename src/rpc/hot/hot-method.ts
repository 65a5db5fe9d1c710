import {
  create,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { createMethodSerializationLookup } from "@connectrpc/connect/protocol";
import type { CallContext } from "../call-context.js";

/** Bytes of a message in protobuf's binary form, in pieces. */
export type Pieces = readonly Uint8Array[];

/** A unary method that is served on the way that takes least. */
export interface HotMethod {
  /** The path of its calls. */
  readonly path: string;
  /**
   * Reads a request.
   *
   * @param request - Its message in protobuf's binary form.
   * @returns what answers it, which may throw a ConnectError; anything else that it throws is INTERNAL.
   * @throws ConnectError INVALID_ARGUMENT if it is malformed.
   */
  readonly read: (request: Uint8Array) => HotAnswer;
}

/** Makes the answer to a request. */
export type HotAnswer = (context: CallContext) => Promise<Pieces> | Pieces;

/** A method whose answer is made as an object. */
export function hotUnary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  run: (request: MessageShape<I>, context: CallContext) => MessageInitShape<O>,
): HotMethod {
  return hotWritten(method, (request, context) => [
    toBinary(method.output, create(method.output, run(request, context))),
  ]);
}

/** A method whose answer is made as bytes. */
export function hotWritten<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  write: (request: MessageShape<I>, context: CallContext) => Promise<Pieces> | Pieces,
): HotMethod {
  const { parse } = createMethodSerializationLookup(method, undefined, undefined, {
    readMaxBytes: maxUint32,
    writeMaxBytes: maxUint32,
  }).getI(true);
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    read: (request) => {
      const message = parse(request);
      return (context): Promise<Pieces> | Pieces => write(message, context);
    },
  };
}

/** Whoever hands a request over has looked at its length. */
const maxUint32 = 0xffff_ffff;
