import type { ConnectRouter } from "@connectrpc/connect";
import { StatsService as SingBoxStatsService } from "#gen/experimental/v2rayapi/stats_pb.js";
import { StatsService as V2rayStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
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
