import { maxWriteBytes } from "../../src/net/counted-writes.js";
import type { StatDirection } from "../../src/stats/stat-name.js";
import { KernelTable } from "../helpers/kernel-table.js";
import type { Facts } from "./facts.js";
import type { ProcessReport } from "./process-report.js";
import { countedBy } from "./run.js";
import {
  atMostReadFromOrigin,
  goBytes,
  takenForClient,
  takenForOrigin,
  type StalledTransfer,
} from "./stalled-transfers.js";
import { users } from "./users.js";

/** How much of a transfer that stands still the proxy may have in its hands, but for what it has borrowed. */
const maxHeldBytes = 128 * 1024;
/** The buffers that transfers may borrow, all of them together: sixteen of 2 MiB and as many of 512 KiB. */
const maxBorrowedBytes = 16 * (2048 + 512) * 1024;

/** Downlink is counted when the kernel has taken it for the client; over plain HTTP, when it came from the origin. */
export function checkClients(
  facts: Facts,
  transfers: readonly StalledTransfer[],
  before: ProcessReport,
  now: ProcessReport,
): void {
  const table = new KernelTable();
  const tunnels = transfers.filter(({ way }) => way !== "plain");
  const plain = transfers.filter(({ way }) => way === "plain");
  const taken = sum(tunnels.map((transfer) => takenForClient(transfer, table)));
  facts.between(
    "downlink of tunnels whose client stalls, against what the kernel took",
    counted(now, "downlink", "whole") - counted(before, "downlink", "whole") - taken,
    // A write of which the kernel took a part is counted when it has taken the rest.
    -tunnels.length * maxWriteBytes,
    0,
  );
  facts.equal(
    "their uplink",
    counted(now, "uplink", "whole") - counted(before, "uplink", "whole"),
    tunnels.length * goBytes,
  );
  const read = sum(plain.map((transfer) => atMostReadFromOrigin(transfer, table)));
  facts.between(
    "downlink of plain HTTP whose client stalls",
    counted(now, "downlink", "plain") - counted(before, "downlink", "plain"),
    sum(plain.map((transfer) => takenForClient(transfer, table))) - plain.length * maxHeldBytes,
    read,
  );
}

/** Uplink is counted when it was read from the client: what the kernel took for the origin, and what is on its way there. */
export function checkOrigins(
  facts: Facts,
  transfers: readonly StalledTransfer[],
  before: ProcessReport,
  now: ProcessReport,
): void {
  const table = new KernelTable();
  const taken = sum(transfers.map((transfer) => takenForOrigin(transfer, table)));
  facts.between(
    "uplink of tunnels whose origin stalls, beyond what the kernel took",
    counted(now, "uplink", "whole") - counted(before, "uplink", "whole") - taken,
    0,
    transfers.length * maxHeldBytes + maxBorrowedBytes,
  );
  const down = counted(now, "downlink", "whole") - counted(before, "downlink", "whole");
  facts.equal("their downlink", down, 0);
}

function counted(report: ProcessReport, direction: StatDirection, user: "whole" | "plain"): number {
  return countedBy(report, "user", direction, users[user].username);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
