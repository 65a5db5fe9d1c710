import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { paths } from "../helpers/api-server.js";
import { cliPath, rootPath, testConfig } from "../helpers/cli.js";
import { findProgram } from "../helpers/outside-client.js";
import { killAtExit } from "../helpers/program.js";
import { closedPort } from "../helpers/sockets.js";
import { TempDir } from "../helpers/temp-dir.js";
import type { RunningServer, ServerKind } from "./servers.js";

/*
 * Servers that are asked from the moment they are started until they answer.
 */

export const ourStart = starts("v2ray-api run", (port, folder) => {
  const config = testConfig({ api: { listen: `127.0.0.1:${port}` }, log: { level: "warn" } });
  return [process.execPath, cliPath, "run", "-c", folder.write("config.json", JSON.stringify(config))];
});

export const grpcJsStart = starts("@grpc/grpc-js", (port) => peerCommand("grpc-js-peer.js", port));

export const connectNodeStart = starts("connect-node", (port) => peerCommand("connect-node-peer.js", port));

export const v2rayStart = starts(
  "V2Ray",
  (port, folder) => {
    const listen = "127.0.0.1";
    const config = {
      log: { loglevel: "warning" },
      stats: {},
      api: { tag: "api", services: ["StatsService"] },
      inbounds: [{ tag: "api", listen, port, protocol: "dokodemo-door", settings: { address: listen } }],
      outbounds: [{ tag: "out", protocol: "freedom" }],
      routing: { rules: [{ type: "field", inboundTag: ["api"], outboundTag: "api" }] },
    };
    return ["v2ray", "-config", folder.write("config.json", JSON.stringify(config))];
  },
  findProgram("v2ray") === undefined ? "v2ray is not installed" : undefined,
);

function peerCommand(file: string, port: number): readonly string[] {
  const program = fileURLToPath(new URL(file, import.meta.url));
  return [process.execPath, program, String(port), join(rootPath, "proto")];
}

/** @param toCommand - What starts it, so that its API listens on that port; the folder is for its files. */
function starts(
  name: string,
  toCommand: (port: number, folder: TempDir) => readonly string[],
  missing?: string,
): ServerKind {
  const start = async (): Promise<RunningServer> => {
    const folder = new TempDir();
    const port = await closedPort();
    const [file = "", ...args] = toCommand(port, folder);
    const startedAtMs = performance.now();
    const child = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
    killAtExit(child);
    const exited = once(child, "exit");
    const stop = async (): Promise<void> => {
      child.kill("SIGKILL");
      await exited;
      folder[Symbol.dispose]();
    };
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
      // Whoever asks all the time takes from the processor what the server could have.
      await setTimeout(2);
    }
    const firstAnswerMs = performance.now() - startedAtMs;
    return { pid: child.pid ?? 0, api: { host: "127.0.0.1", port }, firstAnswerMs, stop };
  };
  return { name, missing, start };
}

/** Whether a call of GetSysStats over gRPC, on a connection of its own, is answered well. */
async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const end = (isAnswered: boolean) => (): void => {
      session.destroy();
      resolve(isAnswered);
    };
    session.on("error", end(false));
    const call = session.request({
      ":method": "POST",
      ":path": paths.getSysStats,
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.on("error", end(false));
    call.on("close", end(false));
    call.on("trailers", (trailers: IncomingHttpHeaders) => {
      end(trailers["grpc-status"] === "0")();
    });
    call.resume();
    // An empty message.
    call.end(Buffer.alloc(5));
  });
}
