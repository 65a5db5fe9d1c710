import type { Endpoint } from "./endpoint.js";
import type { MovedBytes } from "./moved-bytes.js";
import type { PacketConnection } from "./packet-connection.js";

/** What a packet relay has moved so far, for whoever hands it in to read. */
export class PacketTally implements MovedBytes {
  /** For the relay to write to. */
  uplinkBytes = 0;
  /** For the relay to write to. */
  downlinkBytes = 0;
}

export interface PacketRelayOptions {
  /** Told of each packet that could not be sent on, and why. */
  readonly onDropped: (error: Error, payload: Buffer, endpoint: Endpoint) => void;
  /** Keeps the relay's sums. One for each relay. Default: nobody wants to know. */
  readonly tally?: PacketTally;
}

/**
 * Joins a client's packet connection with that of an outbound until either is over, then ends both.
 *
 * @returns when both are over. It never rejects.
 */
export async function relayPackets(
  client: PacketConnection,
  remote: PacketConnection,
  { onDropped, tally = new PacketTally() }: PacketRelayOptions,
): Promise<void> {
  // Answers have a taker before the first packet is sent: some have waited, and are handed over at once.
  remote.receive((payload, source) => {
    client.send(payload, source, (error) => {
      if (error === undefined) tally.downlinkBytes += payload.length;
      else onDropped(error, payload, source);
    });
  });
  client.receive((payload, destination) => {
    tally.uplinkBytes += payload.length;
    remote.send(payload, destination, (error) => {
      if (error !== undefined) onDropped(error, payload, destination);
    });
  });
  await Promise.race([client.closed, remote.closed]);
  client.close();
  remote.close();
  await Promise.all([client.closed, remote.closed]);
}
