import { stat } from "node:fs/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorCodeOf } from "../net/system-error.js";
import { ClientError, type ClientErrorCode } from "./client-error.js";
import type { ServerAddress } from "./server-address.js";
import { speaksTls } from "./speaks-tls.js";
import { tlsFailureOf } from "./tls-failure.js";

const connectionRefused = "connection refused";

/** What a system error says, in words. */
const unreachable: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: connectionRefused,
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name cannot be resolved now",
  ETIMEDOUT: "the connection could not be made in time",
  EADDRNOTAVAIL: "there is no way to that address",
  EACCES: "the system does not permit the connection",
  ENOENT: "there is no such socket",
  ENOTDIR: "there is no such socket",
  ENAMETOOLONG: "no socket can have a path of that length",
};

const unimplemented = "it has no StatsService that knows this call";

/** Who was called, and how much time is left to find out what it is. */
export interface CallContext {
  readonly server: ServerAddress;
  /** Whether it is called over TLS. */
  readonly isTls: boolean;
  readonly timeoutMs: number;
  /** Milliseconds of {@link CallContext.timeoutMs} that are left. */
  readonly leftMs: number;
}

/** Says why a call failed. If what answered is no gRPC server, it is asked whether it speaks TLS. */
export async function toClientError(error: unknown, context: CallContext): Promise<ClientError> {
  const failure = ConnectError.from(error);
  if (failure.cause instanceof ClientError) return failure.cause;
  const known = statusOf(failure) ?? reasonOf(failure, context);
  const { server, isTls, leftMs } = context;
  if (known?.[1] === connectionRefused && "path" in server && !(await isSocket(server.path))) {
    return new ClientError("unreachable", "it is no socket", { cause: error });
  }
  if (known !== undefined) return new ClientError(...known, { cause: error });
  if (!isTls && "host" in server && leftMs > 0 && (await speaksTls(server, leftMs))) {
    return new ClientError("tls", "it speaks TLS, and was called in cleartext", { cause: error });
  }
  const reason = failure.rawMessage === "" ? "" : ` (${failure.rawMessage})`;
  return new ClientError(
    "protocol",
    `it does not answer as a gRPC server ${isTls ? "over TLS" : "in cleartext"} does${reason}`,
    {
      cause: error,
    },
  );
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
  { timeoutMs, isTls }: CallContext,
): [ClientErrorCode, string] | undefined {
  const system = unreachable[errorCodeOf(cause) ?? ""];
  if (system !== undefined) return ["unreachable", system];
  const tls = isTls ? tlsFailureOf(cause) : undefined;
  if (tls !== undefined) return ["tls", tls];
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

/** Who connects to another file is told what who connects to a socket without a server is. */
async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch {
    return true;
  }
}
