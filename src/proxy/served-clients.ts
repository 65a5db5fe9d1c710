import { cutClient } from "./cut-client.js";
import type { PacketRequest, ProxyRequest } from "./inbound.js";

type Request = ProxyRequest | PacketRequest;

/**
 * The clients that are being served, from the moment they are known to be in until all they have is over: those whose
 * destination is still being dialled too, and those that may send packets and have sent none.
 */
export class ServedClients {
  readonly #served = new Map<Promise<void>, Request>();

  /** @param routed - Resolves when the client has been served. It never rejects. */
  async add(request: Request, routed: Promise<void>): Promise<void> {
    this.#served.set(routed, request);
    return routed.then(() => void this.#served.delete(routed));
  }

  /** Ends the connections of those that are meant at once, by whatever they are about to do. */
  cut(isMeant: (inbound: string, user: string | undefined) => boolean): void {
    for (const request of this.#served.values()) {
      if (!isMeant(request.inbound, request.user)) continue;
      if ("destination" in request) cutClient(request);
      else request.client.close();
    }
  }

  /** Resolves when all that are served now have been. */
  async ended(): Promise<void> {
    await Promise.all(this.#served.keys());
  }
}
