/** Holds up who comes until it is opened, for good. */
export class Gate {
  #isOpen = false;
  #open: () => void = () => undefined;
  readonly #opened: Promise<void>;

  constructor() {
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#isOpen = true;
    this.#open();
  }

  /** Makes of a handler one that waits at the gate. Once that is open it costs no turn: what follows at once is not missed. */
  before<Request>(handle: (request: Request) => Promise<void>): (request: Request) => Promise<void> {
    return async (request) => {
      if (!this.#isOpen) await this.#opened;
      await handle(request);
    };
  }
}
