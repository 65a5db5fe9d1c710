// A server of the StatsService as most write one for Node: @grpc/grpc-js, with the .proto file read at the start.
//
//   node grpc-js-peer.js PORT PROTO_FOLDER
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [port = "", protoFolder = ""] = process.argv.slice(2);
const definition = loadSync("v2ray/core/app/stats/command/command.proto", {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: String,
});
const loaded = loadPackageDefinition({
  StatsService: definition["v2ray.core.app.stats.command.StatsService"] ?? {},
});
const { service } = loaded["StatsService"] as ServiceClientConstructor;

interface GetRequest {
  readonly name: string;
}

const server = new Server();
server.addService(service, {
  GetStats: ({ request }: ServerUnaryCall<GetRequest, unknown>, answer: sendUnaryData<unknown>) => {
    answer(null, { stat: { name: request.name, value: "1" } });
  },
  QueryStats: (_: unknown, answer: sendUnaryData<unknown>) => {
    answer(null, { stat: [] });
  },
  GetSysStats: (_: unknown, answer: sendUnaryData<unknown>) => {
    answer(null, { Uptime: Math.floor(process.uptime()) });
  },
});
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
