// A server of the StatsService on connect-node's own adapter: Connect's router, and nothing in front of it.
//
//   node connect-node-peer.js PORT PROTO_FOLDER [COUNT]
import { createServer } from "node:http2";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { MapCounters, type MapStat } from "./map-counters.js";

const [port = "", , count = "0"] = process.argv.slice(2);
const counters = new MapCounters(Number(count));

const routes = (router: ConnectRouter): void => {
  router.service(StatsService, {
    getStats: ({ name, reset }) => {
      const stat = counters.get(name, reset);
      if (stat === undefined) throw new ConnectError(`${name} not found.`, Code.NotFound);
      return { stat: toStat(stat) };
    },
    queryStats: (request) => ({ stat: counters.query(request).map(toStat) }),
    getSysStats: () => ({ Uptime: Math.floor(process.uptime()) }),
  });
};
const server = createServer(connectNodeAdapter({ routes }));
// A start that is measured is that of a server alone.
if (process.send !== undefined) {
  const { obey } = await import("./program-control.js");
  obey((fillCount) => {
    counters.fill(fillCount);
  });
}
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null)
    process.send?.({ api: { host: "127.0.0.1", port: address.port } });
});

function toStat({ name, value }: MapStat) {
  return { name, value: BigInt(value) };
}
