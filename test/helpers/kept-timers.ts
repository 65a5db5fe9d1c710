import { createHook } from "node:async_hooks";
import type { TestContext } from "node:test";

/** Knows the timers that were made since, whoever made them, and that neither have passed nor were cleared. */
export class KeptTimers {
  readonly #ids = new Set<number>();

  constructor(t: TestContext) {
    const hook = createHook({
      init: (id, type) => {
        if (type === "Timeout") this.#ids.add(id);
      },
      destroy: (id) => {
        this.#ids.delete(id);
      },
    }).enable();
    t.after(() => {
      hook.disable();
    });
  }

  get count(): number {
    return this.#ids.size;
  }
}
