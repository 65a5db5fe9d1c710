import { Code, ConnectError, createClient, type CallOptions, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { StatsService as V2RayStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { toClientError } from "./call-error.js";
import { ClientError } from "./client-error.js";
import { assertIdentity, type ClientTls } from "./client-tls.js";
import { Http2Session } from "./http2-session.js";
import type { ServerAddress } from "./server-address.js";

/** How a server is reached. Whatever a connection will need beside its address belongs here. */
export interface StatsClientOptions {
  /** How long one {@link StatsClient.call} may take, the connection included, in milliseconds. Default: 3,000. */
  readonly timeoutMs?: number;
  /** What the server wants as `authorization: Bearer`, in visible ASCII. Default: none is sent. */
  readonly secret?: string | undefined;
  /** How TLS is spoken, `{}` for all defaults. Default: it is not, all is in cleartext. */
  readonly tls?: ClientTls | undefined;
}

/** The StatsService under one of its names. Xray's own calls are described under V2Ray's as well. */
type StatsServiceClient = Client<typeof V2RayStatsService> | Client<typeof XrayStatsService>;

/** What it takes to make calls. */
export interface Calls {
  readonly service: StatsServiceClient;
  /** The options of the next call, which leave it the time that is left. */
  readonly options: () => CallOptions;
  /** Says what the failure of one of them means. */
  readonly explain: (error: unknown) => Promise<ClientError>;
}

/** The largest answer that is taken: some four million counters. */
const maxAnswerBytes = 256 * 1024 * 1024;

/**
 * Calls the StatsService of any server of the family, over gRPC, in cleartext or TLS: V2Ray, Xray, sing-box, ours. Under which name
 * the server has it is found out by calling: V2Ray's, which most have, and then Xray's.
 */
export class StatsClient {
  readonly #server: ServerAddress;
  readonly #isTls: boolean;
  readonly #timeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #session: Http2Session;
  /** The one that answered last comes first. */
  #services: readonly StatsServiceClient[];

  /** @throws ClientError `credentials` if the key of {@link StatsClientOptions.tls} is not that of its certificate. */
  constructor(server: ServerAddress, { timeoutMs = 3_000, secret, tls }: StatsClientOptions = {}) {
    if (tls?.identity !== undefined) assertIdentity(tls.identity);
    this.#server = server;
    this.#isTls = tls !== undefined;
    this.#timeoutMs = timeoutMs;
    this.#headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
    this.#session = new Http2Session(server, tls);
    const transport = createGrpcTransport({
      baseUrl: this.#session.authority,
      sessionManager: this.#session,
      readMaxBytes: maxAnswerBytes,
    });
    this.#services = [createClient(V2RayStatsService, transport), createClient(XrayStatsService, transport)];
  }

  /**
   * Makes one call, or several one after the other, under the name that the server knows. They have the time of one.
   *
   * @param run - Makes the calls. It begins anew under the next name where a call is not implemented under the first.
   * @param signal - Ends the calls early. Default: never.
   * @throws ClientError
   */
  async call<T>(run: (calls: Calls) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const deadline = performance.now() + this.#timeoutMs;
    const leftMs = (): number => deadline - performance.now();
    // To Connect, 0 means no limit.
    const options = (): CallOptions => ({
      timeoutMs: Math.max(1, Math.ceil(leftMs())),
      headers: this.#headers,
      ...(signal === undefined ? {} : { signal }),
    });
    const explain = async (error: unknown): Promise<ClientError> =>
      signal?.aborted === true
        ? new ClientError("interrupted", "interrupted before it answered", { cause: error })
        : toClientError(error, {
            server: this.#server,
            isTls: this.#isTls,
            timeoutMs: this.#timeoutMs,
            leftMs: leftMs(),
          });
    let failure: unknown;
    for (const service of this.#services) {
      try {
        const answer = await run({ service, options, explain });
        this.#services = [service, ...this.#services.filter((other) => other !== service)];
        return answer;
      } catch (error) {
        if (error instanceof ClientError) throw error;
        failure = error;
        if (ConnectError.from(error).code !== Code.Unimplemented) break;
      }
    }
    throw await explain(failure);
  }

  /** Cuts the connection. */
  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}
