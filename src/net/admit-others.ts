import type { Admit } from "./connection-limits.js";
import type { Endpoint } from "./endpoint.js";

/** Whether an accepted connection, by both its ends, was made by the process that accepts it. */
export type IsOwnConnection = (source: Endpoint, accepted: Endpoint) => boolean;

export interface AdmitOthersOptions {
  /** Whose connections are not let in. Default: nobody's. */
  readonly isOwnConnection?: IsOwnConnection | undefined;
  /** Told of each connection that is not. */
  readonly onOwnConnection: (source: Endpoint) => void;
}

/**
 * Lets in whom `admit` lets in, but for those who are ourselves.
 *
 * A proxy looks at where it connects to, but only the kernel knows every address that leads to this machine. Whoever accepts
 * a connection knows for certain.
 */
export function admitOthers(admit: Admit, { isOwnConnection, onOwnConnection }: AdmitOthersOptions): Admit {
  if (isOwnConnection === undefined) return admit;
  return (address, ends, connection) => {
    if (!isOwnConnection(ends.source, ends.accepted)) return admit(address, ends, connection);
    onOwnConnection(ends.source);
    return undefined;
  };
}
