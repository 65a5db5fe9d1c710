import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  createMethodSerializationLookup,
  type MethodSerializationLookup,
} from "@connectrpc/connect/protocol";
import type { CallContext } from "../call-context.js";

/** Bytes of a message, in pieces. */
export type Pieces = readonly Uint8Array[];

/** A unary method that is served on the way that takes least. */
export interface HotMethod {
  /** The path of its calls. */
  readonly path: string;
  /**
   * Reads a request.
   *
   * @param request - Its message.
   * @param isBinary - Whether that, and its answer, is in protobuf's binary form. Otherwise they are in its JSON.
   * @returns what answers it, which may throw a ConnectError; anything else that it throws is INTERNAL.
   * @throws ConnectError INVALID_ARGUMENT if it is malformed.
   */
  readonly read: (request: Uint8Array, isBinary: boolean) => HotAnswer;
}

/** Makes the answer to a request. */
export type HotAnswer = (context: CallContext) => Promise<Pieces> | Pieces;

/**
 * A method whose answer is made as an object.
 *
 * @param encode - Writes it in protobuf's binary form, in less time than protobuf-es does. Default: that does it.
 */
export function hotUnary<I extends DescMessage, O extends DescMessage, A extends MessageInitShape<O>>(
  method: DescMethodUnary<I, O>,
  run: (request: MessageShape<I>, context: CallContext) => A,
  encode?: (answer: A) => Uint8Array,
): HotMethod {
  const serialization = serializationOf(method);
  return hotWritten(method, (request, context, isBinary) => {
    const answer = run(request, context);
    if (isBinary && encode !== undefined) return [encode(answer)];
    return [serialization.getO(isBinary).serialize(create(method.output, answer))];
  });
}

/** A method whose answer is made as bytes. */
export function hotWritten<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  write: (request: MessageShape<I>, context: CallContext, isBinary: boolean) => Promise<Pieces> | Pieces,
): HotMethod {
  const serialization = serializationOf(method);
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    read: (request, isBinary) => {
      const message = serialization.getI(isBinary).parse(request);
      return (context): Promise<Pieces> | Pieces => write(message, context, isBinary);
    },
  };
}

/** As Connect itself reads and writes messages. */
function serializationOf<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
): MethodSerializationLookup<I, O> {
  const limits = { readMaxBytes: maxUint32, writeMaxBytes: maxUint32 };
  return createMethodSerializationLookup(method, undefined, undefined, limits);
}

/** Whoever hands a request over has looked at its length. */
const maxUint32 = 0xffff_ffff;
