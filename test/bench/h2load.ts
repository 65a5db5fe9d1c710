import type { Endpoint } from "../../src/net/endpoint.js";
import { formatEndpoint } from "../../src/net/endpoint.js";
import { findProgram } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { TempDir } from "../helpers/temp-dir.js";
import type { Call } from "./grpc-caller.js";

/** nghttp2's own load generator, if it is installed. */
export function findH2load(): string | undefined {
  return findProgram("h2load");
}

export interface H2loadOptions {
  readonly api: Endpoint | undefined;
  readonly call: Call;
  readonly count: number;
  readonly connections: number;
  readonly streams: number;
}

/** Makes calls with h2load. @returns how many a second there were. @throws Error unless all were answered. */
export async function runH2load({ api, call, ...load }: H2loadOptions): Promise<number> {
  if (api === undefined) throw new Error("there is no API to call");
  const message = Buffer.from(call.message, "base64");
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const folder = new TempDir();
  try {
    const body = folder.write("request", Buffer.concat([envelope, message]));
    const { stdout, stderr } = await runProgram("h2load", [
      ...["-n", String(load.count), "-c", String(Math.min(load.connections, load.count))],
      ...["-m", String(load.streams), "-d", body],
      ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
      `http://${formatEndpoint(api)}${call.path}`,
    ]);
    const { callsPerSecond, succeededCount } = parseH2load(stdout);
    if (succeededCount !== load.count) throw new Error(`h2load: ${stdout}${stderr}`);
    return callsPerSecond;
  } finally {
    folder[Symbol.dispose]();
  }
}

/** Reads what h2load prints in the end. */
export function parseH2load(output: string): {
  readonly callsPerSecond: number;
  readonly succeededCount: number;
} {
  const [, rate] = /^finished in [^,]+, ([\d.]+) req\/s/m.exec(output) ?? [];
  const [, succeeded] = /^requests: .* (\d+) succeeded/m.exec(output) ?? [];
  return { callsPerSecond: Number(rate), succeededCount: Number(succeeded ?? 0) };
}
