import type { Endpoint } from "./endpoint.js";
import type { PacketConnection } from "./packet-connection.js";

export interface PacketRelayOptions {
  /** Told of each packet that could not be sent on, and why. */
  readonly onDropped: (error: Error, payload: Buffer, endpoint: Endpoint) => void;
}

/**
 * Joins a client's packet connection with that of an outbound until either is over, then ends both.
 *
 * @returns when both are over. It never rejects.
 */
export async function relayPackets(
  client: PacketConnection,
  remote: PacketConnection,
  { onDropped }: PacketRelayOptions,
): Promise<void> {
  pass(client, remote, onDropped);
  pass(remote, client, onDropped);
  await Promise.race([client.closed, remote.closed]);
  client.close();
  remote.close();
  await Promise.all([client.closed, remote.closed]);
}

function pass(
  from: PacketConnection,
  to: PacketConnection,
  onDropped: PacketRelayOptions["onDropped"],
): void {
  from.receive((payload, endpoint) => {
    to.send(payload, endpoint, (error) => {
      if (error !== undefined) onDropped(error, payload, endpoint);
    });
  });
}
