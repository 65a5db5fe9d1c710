import { resetConnection } from "../net/reset.js";
import type { ProxyRequest } from "./inbound.js";

/** Ends a client's connection at once, because it shall not be, whatever its other side would say to it. */
export function cutClient({ client, cut }: ProxyRequest): void {
  if (cut === undefined) resetConnection(client);
  else cut();
}
