import type { Endpoint } from "../../src/net/endpoint.js";
import { GrpcCaller } from "./grpc-caller.js";
import type { CallLoad, IdleCallLoad } from "./load-protocol.js";

/** Makes the calls of a load: on each connection the next one when one is answered. */
export async function carryOutCalls(load: CallLoad, api: Endpoint): Promise<void> {
  const callers: GrpcCaller[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      let [begun, done] = [0, 0];
      const begin = (caller: GrpcCaller): void => {
        if (begun === load.count) return;
        begun += 1;
        caller.call(() => {
          done += 1;
          if (done === load.count) resolve();
          else begin(caller);
        });
      };
      const open = async (): Promise<void> => {
        const caller = await GrpcCaller.open(api, load, reject);
        callers.push(caller);
        for (let stream = 0; stream < load.streams; stream++) begin(caller);
      };
      for (let connection = 0; connection < load.connections; connection++) open().catch(reject);
    });
  } finally {
    for (const caller of callers) caller.close();
  }
}

/** Opens connections that are answered once each, and then stay. */
export async function openIdleCallers(load: IdleCallLoad, api: Endpoint): Promise<readonly GrpcCaller[]> {
  const callers: GrpcCaller[] = [];
  for (let index = 0; index < load.count; index++) {
    await new Promise<void>((resolve, reject) => {
      GrpcCaller.open(api, load, reject).then((caller) => {
        callers.push(caller);
        caller.call(() => {
          resolve();
        });
      }, reject);
    });
  }
  return callers;
}
