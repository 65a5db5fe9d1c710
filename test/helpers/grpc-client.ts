import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";

/** A client of grpc-js, the implementation of gRPC that is not ours. */
export class GrpcClient {
  readonly #client: Client;

  constructor(api: string) {
    this.#client = new Client(api, credentials.createInsecure());
  }

  /**
   * @param service - The name under which the service is called. Default: that of the method's own.
   * @throws ServiceError
   */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    message: MessageInitShape<I>,
    service: string = method.parent.typeName,
  ): Promise<MessageShape<O>> {
    const { input, output, name } = method;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `/${service}/${name}`,
        (value: MessageShape<I>) => Buffer.from(toBinary(input, value)),
        (bytes: Buffer) => fromBinary(output, bytes),
        create(input, message),
        (error: ServiceError | null, answer?: MessageShape<O>) => {
          if (error !== null) reject(error);
          else if (answer === undefined) reject(new Error("neither an error nor an answer"));
          else resolve(answer);
        },
      );
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
