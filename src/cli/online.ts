import { parseArgs } from "node:util";
import {
  onlineName,
  readOnlineAddresses,
  readOnlineUsers,
  type OnlineAddress,
  type OnlineUser,
} from "../client/online-users.js";
import { toAddressesJson, toUsersJson } from "../client/proto-json.js";
import { readOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import { toPrintableLine } from "./printable.js";
import { formatRows } from "./rows.js";
import { UsageError } from "./usage-error.js";

/** `v2ray-api online`: prints who is connected, or from where a user is. */
export const online: CommandRunner = async (args, process) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: readOptions,
    allowPositionals: true,
  });
  const [user, ...others] = positionals;
  if (others.length > 0) throw new UsageError("it takes the name of one user, or none");
  const { json = false } = values;
  return printAnswer(values, process, async (client) => {
    if (user === undefined) {
      const users = await readOnlineUsers(client);
      return { text: json ? toPrintableLine(toUsersJson(users)) : formatUsersTable(users) };
    }
    const addresses = await readOnlineAddresses(client, user);
    const text = json
      ? toPrintableLine(toAddressesJson(onlineName(user), addresses))
      : formatAddressesTable(addresses);
    return { text };
  });
};

function formatUsersTable(users: readonly OnlineUser[]): string {
  if (users.length === 0) return "";
  const rows = [...users]
    .sort((a, b) => (a.user < b.user ? -1 : 1))
    .map(({ user, addresses }) => [`${addresses.length}`, user]);
  return formatRows(["Addresses", "User"], rows, [12]);
}

function formatAddressesTable(addresses: readonly OnlineAddress[]): string {
  if (addresses.length === 0) return "";
  const rows = addresses.map(({ address, lastSeen }) => [formatTime(lastSeen), address]);
  return formatRows(["Last seen", "Address"], rows, [22]);
}

/** In UTC, to the second; a time beyond what Node has dates for is a number. */
function formatTime(unixSeconds: bigint): string {
  const date = new Date(Number(unixSeconds) * 1_000);
  return Number.isNaN(date.getTime()) ? `${unixSeconds}` : date.toISOString().replace(/\.\d+Z$/, "Z");
}
