// A server of the StatsService as most write one for Node: @grpc/grpc-js, with the .proto file read at the start.
//
//   node grpc-js-peer.js PORT PROTO_FOLDER [COUNT]
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { MapCounters, type MapQuery } from "./map-counters.js";

const [port = "", protoFolder = "", count = "0"] = process.argv.slice(2);
const definition = loadSync("v2ray/core/app/stats/command/command.proto", {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: String,
  defaults: true,
});
const loaded = loadPackageDefinition({
  StatsService: definition["v2ray.core.app.stats.command.StatsService"] ?? {},
});
const { service } = loaded["StatsService"] as ServiceClientConstructor;
const counters = new MapCounters(Number(count));

interface GetRequest {
  readonly name: string;
  readonly reset: boolean;
}

const server = new Server();
server.addService(service, {
  GetStats: ({ request }: ServerUnaryCall<GetRequest, unknown>, answer: sendUnaryData<unknown>) => {
    const stat = counters.get(request.name, request.reset);
    if (stat === undefined) answer({ code: status.NOT_FOUND, details: `${request.name} not found.` });
    else answer(null, { stat });
  },
  QueryStats: ({ request }: ServerUnaryCall<MapQuery, unknown>, answer: sendUnaryData<unknown>) => {
    answer(null, { stat: counters.query(request) });
  },
  GetSysStats: (_: unknown, answer: sendUnaryData<unknown>) => {
    answer(null, { Uptime: Math.floor(process.uptime()) });
  },
});
// A start that is measured is that of a server alone.
if (process.send !== undefined) {
  const { obey } = await import("./program-control.js");
  obey((fillCount) => {
    counters.fill(fillCount);
  });
}
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, boundPort) => {
  if (error !== null) throw error;
  process.send?.({ api: { host: "127.0.0.1", port: boundPort } });
});
