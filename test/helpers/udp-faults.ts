import { Socket } from "node:dgram";
import type { TestContext } from "node:test";

/** UDP sockets that fail to be bound. */
export interface FailingBinds {
  /** How many have failed. */
  readonly failedCount: number;
  /** Lets all further ones succeed. */
  restore(): void;
}

/**
 * Lets UDP sockets fail to be bound during a test.
 *
 * @param code - The operating system's reason, such as `EADDRINUSE`.
 * @param times - How many of them. Default: all.
 */
export function failUdpBinds(t: TestContext, code: string, times?: number): FailingBinds {
  const fail = function (this: Socket): Socket {
    this.emit("error", Object.assign(new Error(`bind ${code}`), { code }));
    return this;
  };
  const { mock } = t.mock.method(Socket.prototype, "bind", fail, times === undefined ? {} : { times });
  return {
    get failedCount() {
      return mock.callCount();
    },
    restore: () => {
      mock.restore();
    },
  };
}
