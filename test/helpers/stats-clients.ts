import { Agent } from "node:http";
import type { TestContext } from "node:test";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { RpcError } from "grpc-web";
import { StatsService as SingBoxStatsService } from "#gen/experimental/v2rayapi/stats_pb.js";
import {
  StatsService,
  type GetUsersStatsRequestSchema,
  type QueryStatsRequestSchema,
  type SysStatsResponse,
  type UserStat,
} from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { registerStatsService } from "../../src/rpc/routes.js";
import { createStatsService } from "../../src/rpc/stats-service.js";
import { SysStats } from "../../src/rpc/sys-stats.js";
import type { TestApi } from "./api-server.js";
import { GrpcClient } from "./grpc-client.js";
import { GrpcWebTextClient } from "./grpc-web-client.js";
import { closeAfter } from "./sockets.js";

/** How one call failed, in any protocol. */
export interface CallFailure {
  /** The number of the gRPC code. */
  readonly code: number;
  readonly message: string;
}

/** One call of one kind of client. */
export type CallUnary = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  message: MessageInitShape<I>,
) => Promise<MessageShape<O>>;

/** A client that a test opened. */
export interface OpenClient {
  readonly call: CallUnary;
  close(): void;
}

/** A way to reach the StatsService. */
export interface Way {
  readonly way: string;
  open(api: TestApi): OpenClient;
}

/** Every way: in memory, and each protocol over each version of HTTP that carries it. */
export const ways: readonly Way[] = [
  { way: "in memory", open: openInMemory },
  {
    way: "gRPC over HTTP/2",
    open: ({ url }) =>
      overHttp2(url, (sessionManager) => createGrpcTransport({ baseUrl: url, sessionManager })),
  },
  { way: "gRPC of grpc-js", open: openGrpcJs },
  {
    way: "gRPC-Web over HTTP/1.1",
    open: ({ url }) =>
      overHttp1((nodeOptions) => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1", nodeOptions })),
  },
  { way: "gRPC-Web's text form, of grpc-web", open: openGrpcWebText },
  {
    way: "gRPC-Web over HTTP/2",
    open: ({ url }) =>
      overHttp2(url, (sessionManager) =>
        createGrpcWebTransport({ baseUrl: url, httpVersion: "2", sessionManager }),
      ),
  },
  ...[true, false].flatMap((useBinaryFormat): Way[] => [
    {
      way: `Connect ${useBinaryFormat ? "binary" : "JSON"} over HTTP/1.1`,
      open: ({ url }) =>
        overHttp1((nodeOptions) =>
          createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat, nodeOptions }),
        ),
    },
    {
      way: `Connect ${useBinaryFormat ? "binary" : "JSON"} over HTTP/2`,
      open: ({ url }) =>
        overHttp2(url, (sessionManager) =>
          createConnectTransport({ baseUrl: url, httpVersion: "2", useBinaryFormat, sessionManager }),
        ),
    },
  ]),
];

/**
 * The service under each of its names. The descriptors differ in nothing but the package, as a test makes sure; only
 * sing-box's has none of Xray's calls.
 */
export const services = [
  StatsService,
  XrayStatsService as unknown as typeof StatsService,
  SingBoxStatsService as unknown as typeof StatsService,
] as const;

/** A name of the service, and a way to reach it. */
export interface ServiceWay {
  readonly service: (typeof services)[number];
  readonly way: Way;
}

const otherNamesWays = ["gRPC over HTTP/2", "Connect JSON over HTTP/1.1"];

/** Every way under the first name; under the others, which have messages of their own, one of each encoding. */
export const serviceWays: readonly ServiceWay[] = services.flatMap((service, index) =>
  ways
    .filter(({ way }) => index === 0 || otherNamesWays.includes(way))
    .map((way): ServiceWay => ({ service, way })),
);

/** A client that is closed after the test. */
export function openStatsClient(t: TestContext, api: TestApi, { service, way }: ServiceWay): StatsClient {
  const opened = way.open(api);
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      opened.close();
      return Promise.resolve();
    },
  });
  return new StatsClient(opened.call, service);
}

/** What a test asks the StatsService for, whatever the way and the name. */
export class StatsClient {
  readonly #call: CallUnary;
  readonly #service: typeof StatsService;

  constructor(call: CallUnary, service: typeof StatsService) {
    this.#call = call;
    this.#service = service;
  }

  async get(name: string, reset = false): Promise<bigint | undefined> {
    const { stat } = await this.#call(this.#service.method.getStats, { name, reset });
    return stat?.value;
  }

  /** The answer's counters in its order. */
  async query(request: MessageInitShape<typeof QueryStatsRequestSchema>): Promise<[string, bigint][]> {
    const { stat } = await this.#call(this.#service.method.queryStats, request);
    return stat.map(({ name, value }) => [name, value]);
  }

  async sys(): Promise<SysStatsResponse> {
    return this.#call(this.#service.method.getSysStats, {});
  }

  /** How many addresses a name is connected from. */
  async onlineCount(name: string): Promise<{ readonly name: string; readonly value: bigint } | undefined> {
    const { stat } = await this.#call(this.#service.method.getStatsOnline, { name });
    return stat && { name: stat.name, value: stat.value };
  }

  /** From which addresses, and when each was last seen. */
  async onlineIps(name: string): Promise<readonly [string, Readonly<Record<string, bigint>>]> {
    const answer = await this.#call(this.#service.method.getStatsOnlineIpList, { name });
    return [answer.name, answer.ips];
  }

  async onlineUsers(): Promise<readonly string[]> {
    return (await this.#call(this.#service.method.getAllOnlineUsers, {})).users;
  }

  async usersStats(request: MessageInitShape<typeof GetUsersStatsRequestSchema>): Promise<UserStat[]> {
    return (await this.#call(this.#service.method.getUsersStats, request)).users;
  }

  /** Calls a method that is not in the .proto file. */
  async callMethod(name: string): Promise<unknown> {
    return this.#call({ ...this.#service.method.getStats, name }, {});
  }

  /** Calls a method under another service's name. */
  async callService(typeName: string): Promise<unknown> {
    const { getStats } = this.#service.method;
    const parent = { ...getStats.parent, typeName };
    return this.#call({ ...getStats, parent }, {});
  }
}

/** How the call failed; an Error if it did not. */
export async function failureOf(call: Promise<unknown>): Promise<CallFailure> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return { code: error.code, message: error.rawMessage };
    if (error instanceof RpcError) return { code: error.code, message: error.message };
    const { code, details } = error as { code?: number; details?: string };
    if (code !== undefined && details !== undefined) return { code, message: details };
    throw error;
  }
  throw new Error("the call did not fail");
}

function openInMemory({ store, online }: TestApi): OpenClient {
  const sysStats = new SysStats();
  const transport = createRouterTransport((router) => {
    registerStatsService(router, createStatsService({ store, online, sysStats }));
  });
  return {
    call: callOver(transport),
    close: () => {
      sysStats[Symbol.dispose]();
    },
  };
}

function openGrpcJs({ port }: TestApi): OpenClient {
  const client = new GrpcClient(`127.0.0.1:${port}`);
  return {
    call: async (method, message) => client.call(method, message),
    close: () => {
      client[Symbol.dispose]();
    },
  };
}

function openGrpcWebText({ url }: TestApi): OpenClient {
  const client = new GrpcWebTextClient(url);
  return { call: async (method, message) => client.call(method, message), close: () => undefined };
}

function overHttp1(createTransport: (nodeOptions: { agent: Agent }) => Transport): OpenClient {
  const agent = new Agent({ keepAlive: true });
  return {
    call: callOver(createTransport({ agent })),
    close: () => {
      agent.destroy();
    },
  };
}

function overHttp2(url: string, createTransport: (manager: Http2SessionManager) => Transport): OpenClient {
  const manager = new Http2SessionManager(url);
  return {
    call: callOver(createTransport(manager)),
    close: () => {
      manager.abort();
    },
  };
}

function callOver(transport: Transport): CallUnary {
  return async (method, message) => {
    const { message: answer } = await transport.unary(method, undefined, undefined, undefined, message);
    return answer;
  };
}
