import { closed } from "../helpers/timing.js";
import type { ProcessReport } from "./process-report.js";
import { countedBy } from "./run.js";
import type { StalledReader, StalledTransfer } from "./stalled-transfers.js";
import type { Stage } from "./stage.js";
import { users } from "./users.js";

/** How long the proxy may take to let go of what was cut. */
const letGoMs = 30_000;

/**
 * Cuts stalled transfers, a third of them by their reader, a third by the proxy's table, a third by their sender, and waits
 * until they are closed at both ends.
 *
 * The proxy cannot hear of a sender's reset while it does not read from it; the reader reads then what is left.
 */
export async function cutAll(
  { facts, proxy }: Stage,
  who: StalledReader,
  transfers: readonly StalledTransfer[],
): Promise<void> {
  const { byReader, byTable, bySender } = thirdsOf(transfers);
  const before = countedForTunnels(await proxy.look());
  for (const { client, origin } of byReader) (who === "clients" ? client : origin).resetAndDestroy();
  const ports = byTable.map(({ client }) => client.localPort ?? 0);
  facts.equal(`stalled ${who} closed by the table`, await proxy.closeFrom(ports), byTable.length);
  const left = await proxy.lookWhen(({ connectionCount }) => connectionCount === bySender.length, letGoMs);
  facts.equal(`stalled ${who} in the table when two thirds are cut`, left.connectionCount, bySender.length);
  // What was being written when they were cut counts nothing.
  facts.equal("counted for tunnels when two thirds are cut", countedForTunnels(left), before);

  for (const { client, origin } of bySender) (who === "clients" ? origin : client).resetAndDestroy();
  const ends = transfers.flatMap(({ client, origin }) => [client, origin]);
  await Promise.all(
    ends.map(async (end) => {
      end.on("end", () => end.destroy()).resume();
      await closed(end);
    }),
  );
}

interface Thirds {
  readonly byReader: readonly StalledTransfer[];
  readonly byTable: readonly StalledTransfer[];
  readonly bySender: readonly StalledTransfer[];
}

/** Out of step with the ways in which the clients ask. */
function thirdsOf(transfers: readonly StalledTransfer[]): Thirds {
  const third = (which: number) =>
    transfers.filter((_, index) => (index + Math.floor(index / 3)) % 3 === which);
  return { byReader: third(0), byTable: third(1), bySender: third(2) };
}

function countedForTunnels(report: ProcessReport): { readonly up: number; readonly down: number } {
  const { username } = users.whole;
  return {
    up: countedBy(report, "user", "uplink", username),
    down: countedBy(report, "user", "downlink", username),
  };
}
