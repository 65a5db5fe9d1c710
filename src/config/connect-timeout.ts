import { durationField } from "./duration-field.js";

/** As in sing-box. */
const defaultConnectTimeout = "5s";

/** @param what - What the time is for. */
export function connectTimeoutField(what: string): ReturnType<typeof durationField> {
  return durationField(`How long ${what} may take together.`, defaultConnectTimeout);
}
