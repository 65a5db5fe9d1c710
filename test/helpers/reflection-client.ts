import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "#gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.js";

/** Both versions of the service. The descriptors differ in nothing but the package. */
export const reflectionVersions = [
  { version: "v1", service: ServerReflection },
  { version: "v1alpha", service: ServerReflectionV1Alpha as unknown as typeof ServerReflection },
] as const;

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

/** A stream of reflection: one question after another, each with its answer. */
export class ReflectionStream {
  readonly #questions = createWritableIterable<MessageInitShape<typeof ServerReflectionRequestSchema>>();
  readonly #answers: AsyncIterator<ServerReflectionResponse>;

  constructor(transport: Transport, service: typeof ServerReflection) {
    const client = createClient(service, transport);
    this.#answers = client.serverReflectionInfo(this.#questions)[Symbol.asyncIterator]();
  }

  /** The whole answer to a question. */
  async ask(messageRequest: Question, host = ""): Promise<ServerReflectionResponse> {
    // The question is taken when the stream is read.
    const [answer] = await Promise.all([
      this.#answers.next(),
      this.#questions.write({ host, messageRequest }),
    ]);
    assert.ok(answer.done !== true, "the stream has ended");
    return answer.value;
  }

  /** What comes next without a question: how the stream ends. */
  async next(): Promise<IteratorResult<ServerReflectionResponse>> {
    return this.#answers.next();
  }

  /** Has no more questions. */
  close(): void {
    this.#questions.close();
  }
}
