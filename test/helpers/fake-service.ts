import type { Endpoint } from "../../src/net/endpoint.js";
import { Part, type PartOptions } from "../../src/parts/part.js";
import type { Service } from "../../src/parts/service.js";

/** The ports of a machine that is none, and what is done with them, in order. */
export class FakePorts {
  readonly events: string[] = [];
  readonly taken = new Map<number, string>();
  /** Names of the parts that cannot be opened, though their port is free. */
  readonly broken = new Set<string>();
  #nextPort = 50_000;

  /** A part that listens on a port here; its name is in the events. */
  part(
    name: string,
    port: number,
    options: Pick<PartOptions, "graceMs" | "networks" | "ownListeners"> = {},
  ): Part {
    return new Part({
      ...{ name, listen: { host: "", port }, create: (place) => this.#createService(name, place.port) },
      ...options,
    });
  }

  #createService(name: string, port: number): Service {
    let own: number | undefined;
    return {
      start: async (): Promise<Endpoint> => {
        await Promise.resolve();
        const chosen = port === 0 ? this.#nextPort++ : port;
        if (this.broken.has(name)) throw new Error("broken");
        if (this.taken.has(chosen)) throw new Error(`${chosen} is taken`);
        this.taken.set(chosen, name);
        own = chosen;
        this.events.push(`open ${name}`);
        return { host: "", port: chosen };
      },
      stop: async (cut): Promise<void> => {
        if (own !== undefined) {
          this.taken.delete(own);
          this.events.push(`${cut.aborted ? "cut" : "close"} ${name}`);
        }
        own = undefined;
        return Promise.resolve();
      },
    };
  }
}
