import { toJson, type DescMessage, type JsonValue, type Message } from "@bufbuild/protobuf";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { StatsService } from "v2ray-api/stats-service";

/*
 * Runs in a page: see page-site.ts, which serves it as it is compiled. It imports nothing that is not made for browsers.
 */

/** How a page talks to the API. */
export interface PageProtocol {
  readonly protocol: "grpc-web" | "connect";
  readonly useBinaryFormat: boolean;
  /** Whether calls that change nothing are made with GET, which only Connect can. Default: false. */
  readonly useHttpGet?: boolean;
}

/** A call of the StatsService. */
export interface PageCall {
  readonly method: keyof typeof StatsService.method;
  readonly request: object;
}

/** How a call ended: with the answer in Protobuf's JSON, or with the gRPC code and the message of its failure. */
export type PageOutcome =
  { readonly answer: JsonValue } | { readonly code: number; readonly message: string };

/** What the page asked its browser to send. */
export interface PageRequest {
  readonly verb: string;
  readonly contentType: string | null;
}

/** What became of the calls. */
export interface PageCalls {
  /** One for each call. */
  readonly outcomes: readonly PageOutcome[];
  readonly requests: readonly PageRequest[];
}

/** Makes the calls one after another. */
export async function callFromPage(
  baseUrl: string,
  protocol: PageProtocol,
  calls: readonly PageCall[],
): Promise<PageCalls> {
  const requests: PageRequest[] = [];
  const client = createClient(
    StatsService,
    createTransport(baseUrl, protocol, (request) => requests.push(request)),
  );
  const outcomes: PageOutcome[] = [];
  for (const { method, request } of calls) {
    // The type of the one follows from that of the other, which the compiler cannot see.
    const call = client[method] as (request: object) => Promise<Message>;
    outcomes.push(await outcomeOf(method, call(request)));
  }
  return { outcomes, requests };
}

function createTransport(
  baseUrl: string,
  { protocol, useBinaryFormat, useHttpGet = false }: PageProtocol,
  onRequest: (request: PageRequest) => void,
): Transport {
  const watchedFetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    onRequest({ verb: init?.method ?? "", contentType: headers.get("content-type") });
    return fetch(input, init);
  };
  const create = protocol === "grpc-web" ? createGrpcWebTransport : createConnectTransport;
  return create({ baseUrl, fetch: watchedFetch, useBinaryFormat, useHttpGet });
}

async function outcomeOf(method: PageCall["method"], call: Promise<Message>): Promise<PageOutcome> {
  const schema: DescMessage = StatsService.method[method].output;
  try {
    return { answer: toJson(schema, await call) };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code, message: rawMessage };
  }
}
