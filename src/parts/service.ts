import type { Endpoint } from "../net/endpoint.js";
import type { ListenAddress } from "../net/listen-address.js";

/** A part of an app that listens. */
export interface Service<Address extends ListenAddress = Endpoint> {
  /**
   * Starts to accept; called once.
   *
   * @returns where it listens, with the port that was chosen if it was to take any.
   * @throws whatever is in the way; the app makes a StartError of it.
   */
  start(): Promise<Address>;
  /**
   * Stops to accept, and resolves when everything that was accepted has ended. It may be called more than once,
   * where the start has failed, and in place of a start: what a refused reload has made is stopped so.
   *
   * @param cut - Aborts when what is still open has to end at once. It may have aborted before the call.
   */
  stop(cut: AbortSignal): Promise<void>;
  /** Reads again what it has from files. What is wrong with them is logged, and changes nothing. Absent where it has none. */
  refresh?(): Promise<void>;
}
