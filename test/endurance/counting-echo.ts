import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { Stage } from "./stage.js";

/** A UDP server that sends packets back and counts their payload, but keeps none of them. */
export class CountingEcho {
  endpoint: Endpoint = { host: "127.0.0.1", port: 0 };
  /** Bytes of payload that came here, and that were sent from here. */
  readonly moved = { up: 0, down: 0 };
  #socket: Socket | undefined;

  async start(stage: Stage): Promise<void> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 1024 * 1024 });
    this.#socket = socket;
    stage.own(this);
    socket.on("message", (payload, { address, port }) => {
      this.moved.up += payload.length;
      socket.send(payload, port, address, (error) => {
        if (error === null) this.moved.down += payload.length;
      });
    });
    socket.bind({ address: "127.0.0.1", port: 0, exclusive: true });
    await once(socket, "listening");
    this.endpoint = { host: "127.0.0.1", port: socket.address().port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const closed = once(socket, "close");
    socket.close();
    await closed;
  }
}
