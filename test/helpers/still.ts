import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

const lookCount = 30;
const betweenLooksMs = 10;

/**
 * Resolves with the value when it has not changed for 30 looks in a row, 10 ms apart: nothing announces that a sender has
 * been stopped. Whoever moves the value lives in this process, so a slow machine slows the looks down as well.
 */
export async function standsStill<T>(value: () => T): Promise<T> {
  let last = value();
  for (let looks = 0; looks < lookCount; looks++) {
    await sleep(betweenLooksMs);
    const now = value();
    if (!isDeepStrictEqual(now, last)) looks = 0;
    last = now;
  }
  return last;
}
