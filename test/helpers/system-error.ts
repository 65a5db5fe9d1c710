import { constants } from "node:os";

/** An error as Node makes them of what the system says. */
export function systemError(code: "EPIPE" | "ENOSPC" | "EIO"): Error {
  return Object.assign(new Error(`${code}: write`), { code, errno: -constants.errno[code] });
}
