import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { clientNetworkOf } from "./client-network.js";
import { FailureBrake, type FailureBrakeOptions } from "./failure-brake.js";
import { resetConnection } from "./reset.js";
import { remoteEndpointOf } from "./socket-endpoint.js";

/** How many logins with a wrong name or password there were, by what became of their answer. */
export interface FailedLogins {
  /** It came at once. */
  readonly atOnce: number;
  /** It came late, or its client did not wait for it. */
  readonly late: number;
  /** It never came: so many places were taken that the connection was reset instead. */
  readonly unanswered: number;
}

export interface LoginBrakeOptions extends Omit<FailureBrakeOptions, "onSlowed"> {
  /** Told of each source, once in its window, when its failures begin to be answered late. Default: silent. */
  readonly logger?: Logger;
}

/**
 * Slows the answers to clients of the proxy that log in wrongly again and again, by the rule of {@link FailureBrake}. One is
 * shared by all inbounds: who guesses is the same at each of them.
 *
 * The V2Ray API's secrets have one of their own. A proxy is open to many who mistype, and a flood at it shall not take the
 * places in which somebody at the API waits to be told that the secret is wrong.
 */
export class LoginBrake {
  readonly #brake: FailureBrake;
  readonly #failed = { atOnce: 0, late: 0, unanswered: 0 };

  constructor({ logger = silentLogger, ...options }: LoginBrakeOptions = {}) {
    this.#brake = new FailureBrake({
      ...options,
      onSlowed: (source) => {
        logger.warn("wrong logins are answered late", { source });
      },
    });
  }

  /** How many logins have failed so far. The figures go on changing. */
  get failed(): FailedLogins {
    return this.#failed;
  }

  /**
   * Counts a failed login, and waits until it may be answered. Nobody else may read from the client meanwhile. It never
   * rejects.
   *
   * @param hurry - Aborts when there is no more time: then it may be answered at once.
   * @returns whether there is somebody to answer: not if the client has left, or was reset since too many wait.
   */
  async release(client: Socket, hurry?: AbortSignal): Promise<boolean> {
    const source = clientNetworkOf(remoteEndpointOf(client).host);
    return new Promise((resolve) => {
      const turn = { isOver: false };
      const answer = (): void => {
        turn.isOver = true;
        client.off("close", onClose);
        resolve(!client.destroyed);
      };
      const callOff = this.#brake.schedule(source, answer, { hurry });
      this.#failed[outcomeOf(turn.isOver, callOff)] += 1;
      if (turn.isOver) return;
      if (callOff === undefined) resetConnection(client);
      client.once("close", onClose);
      if (client.destroyed) onClose();
      // A socket that is not read does not notice a reset. What arrives stays in its buffer, which is bounded.
      else client.read(0);

      function onClose(): void {
        callOff?.();
        resolve(false);
      }
    });
  }
}

function outcomeOf(isAnswered: boolean, callOff: (() => void) | undefined): keyof FailedLogins {
  if (isAnswered) return "atOnce";
  return callOff === undefined ? "unanswered" : "late";
}
