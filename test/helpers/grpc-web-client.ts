import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import grpcWeb from "grpc-web";
import { NodeXmlHttpRequest } from "./xml-http-request.js";

/** The client of the `grpc-web` package, as protoc-gen-grpc-web makes pages call it: in the text form. */
export class GrpcWebTextClient {
  readonly #url: string;
  readonly #client: grpcWeb.GrpcWebClientBase;

  constructor(url: string) {
    // It looks for what browsers have when it calls.
    Object.assign(globalThis, { XMLHttpRequest: NodeXmlHttpRequest });
    this.#url = url;
    this.#client = new grpcWeb.GrpcWebClientBase({ format: "text" });
  }

  /** @throws RpcError */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    message: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const { descriptor, path } = this.#describe(method);
    return this.#client.unaryCall(path, create(method.input, message), {}, descriptor);
  }

  /** The answers of a call that streams, one after another until it ends. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    message: MessageInitShape<I>,
  ): grpcWeb.ClientReadableStream<MessageShape<O>> {
    const { descriptor, path } = this.#describe(method);
    return this.#client.serverStreaming(path, create(method.input, message), {}, descriptor);
  }

  #describe<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
  ) {
    const path = `/${method.parent.typeName}/${method.name}`;
    const { UNARY, SERVER_STREAMING } = grpcWeb.MethodType;
    const descriptor = new grpcWeb.MethodDescriptor<MessageShape<I>, MessageShape<O>>(
      path,
      method.methodKind === "unary" ? UNARY : SERVER_STREAMING,
      // It never makes a message itself.
      Object as unknown as new () => MessageShape<I>,
      Object as unknown as new () => MessageShape<O>,
      (request: MessageShape<I>) => toBinary(method.input, request),
      (bytes: Uint8Array) => fromBinary(method.output, bytes),
    );
    return { descriptor, path: this.#url + path };
  }
}
