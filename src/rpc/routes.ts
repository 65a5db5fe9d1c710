import type { ConnectRouter } from "@connectrpc/connect";
import { StatsService as SingBoxStatsService } from "#gen/experimental/v2rayapi/stats_pb.js";
import { StatsService as V2rayStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { hotUnary, hotWritten, type HotMethod } from "./hot/hot-method.js";
import { encodeStat } from "./stat-writer.js";
import type { StatsService } from "./stats-service.js";

/**
 * Registers one implementation of the StatsService under every name that clients of the field know it by: V2Ray's (which
 * sing-box serves too), Xray's, and the one in sing-box's .proto file.
 */
export function registerStatsService(router: ConnectRouter, service: StatsService): void {
  router.service(V2rayStatsService, service);
  router.service(XrayStatsService, service);
  router.service(SingBoxStatsService, service);
}

/** Its methods as they are served on the shorter way, under the same names. */
export function hotMethodsOf(service: StatsService): readonly HotMethod[] {
  const getStats: StatsService["getStats"] = (request, context) => service.getStats(request, context);
  const encodeGetStats = ({ stat }: ReturnType<StatsService["getStats"]>): Uint8Array =>
    encodeStat(stat.name, stat.value);
  const writeQueryStats: StatsService["writeQueryStats"] = async (request, context, isBinary) =>
    service.writeQueryStats(request, context, isBinary);
  const getSysStats: StatsService["getSysStats"] = () => service.getSysStats();
  return [
    hotUnary(V2rayStatsService.method.getStats, getStats, encodeGetStats),
    hotUnary(XrayStatsService.method.getStats, getStats, encodeGetStats),
    hotUnary(SingBoxStatsService.method.getStats, getStats, encodeGetStats),
    hotWritten(V2rayStatsService.method.queryStats, writeQueryStats),
    hotWritten(XrayStatsService.method.queryStats, writeQueryStats),
    hotWritten(SingBoxStatsService.method.queryStats, writeQueryStats),
    hotUnary(V2rayStatsService.method.getSysStats, getSysStats),
    hotUnary(XrayStatsService.method.getSysStats, getSysStats),
    hotUnary(SingBoxStatsService.method.getSysStats, getSysStats),
  ];
}
