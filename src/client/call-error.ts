import { Code, ConnectError } from "@connectrpc/connect";
import type { Endpoint } from "../net/endpoint.js";
import { ClientError, type ClientErrorCode } from "./client-error.js";
import { speaksTls } from "./speaks-tls.js";

/** What a system error says, in words. */
const unreachable: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name cannot be resolved now",
  ETIMEDOUT: "the connection could not be made in time",
  EADDRNOTAVAIL: "there is no way to that address",
  EACCES: "the system does not permit the connection",
};

const unimplemented = "it has no StatsService that knows this call";

/** Who was called, and how much time is left to find out what it is. */
export interface CallContext {
  readonly server: Endpoint;
  readonly timeoutMs: number;
  /** Milliseconds of {@link CallContext.timeoutMs} that are left. */
  readonly leftMs: number;
}

/** Says why a call failed. If what answered is no gRPC server, it is asked whether it speaks TLS. */
export async function toClientError(error: unknown, context: CallContext): Promise<ClientError> {
  const failure = ConnectError.from(error);
  const known = statusOf(failure) ?? reasonOf(failure, context);
  if (known !== undefined) return new ClientError(...known, { cause: error });
  if (context.leftMs > 0 && (await speaksTls(context.server, context.leftMs))) {
    return new ClientError("tls", "it speaks TLS, and this command only cleartext", { cause: error });
  }
  const reason = failure.rawMessage === "" ? "" : ` (${failure.rawMessage})`;
  return new ClientError("protocol", `it does not answer as a gRPC server in cleartext does${reason}`, {
    cause: error,
  });
}

/** What the server itself has said, in gRPC's words. */
function statusOf(failure: ConnectError): [ClientErrorCode, string] | undefined {
  const { code, rawMessage, metadata } = failure;
  if (!metadata.has("grpc-status")) return undefined;
  switch (code) {
    case Code.Unimplemented:
      return ["unimplemented", unimplemented];
    case Code.NotFound:
      return ["not_found", rawMessage];
    case Code.Unknown: {
      // V2Ray and sing-box have no other code for it, and V2Ray says whose words these are.
      const [, text] = /^(?:app\/stats\/command: )?(.* not found\.)$/s.exec(rawMessage) ?? [];
      return text === undefined ? ["refused", refusal(failure)] : ["not_found", text];
    }
    default:
      return ["refused", refusal(failure)];
  }
}

function refusal({ code, rawMessage }: ConnectError): string {
  return `${rawMessage === "" ? "it refuses the call" : rawMessage} (${Code[code]})`;
}

/** What is clear without its word. */
function reasonOf(
  { code, rawMessage, cause }: ConnectError,
  { timeoutMs }: CallContext,
): [ClientErrorCode, string] | undefined {
  const system = unreachable[systemCodeOf(cause) ?? ""];
  if (system !== undefined) return ["unreachable", system];
  switch (code) {
    case Code.DeadlineExceeded:
      return ["timeout", `no answer within ${timeoutMs / 1_000} s`];
    case Code.ResourceExhausted:
      return ["too_large", "its answer is larger than 256 MiB"];
    case Code.Unimplemented:
      return ["unimplemented", unimplemented];
    case Code.PermissionDenied:
    case Code.Unauthenticated:
      return ["refused", `it refuses the call (${rawMessage})`];
    default:
      return undefined;
  }
}

function systemCodeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}
