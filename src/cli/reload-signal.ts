import type { CommandProcess } from "./command.js";

/** The wish of whoever runs the program that it reads its config again. */
export interface ReloadSignal {
  /**
   * From here on `reload` is called for each signal: at once, or after the call before it has ended, when one call does for
   * all signals that came meanwhile. One that came before this is made up for.
   *
   * @param reload - It must not reject.
   */
  answerWith(reload: () => Promise<void>): void;
  stopListening(): void;
}

/**
 * Takes SIGHUP over, which then no longer ends the process. On Windows, where nobody sends it, it says that the console was
 * closed, and the process ends a little later all the same.
 */
export function listenForReloadSignal(process: CommandProcess): ReloadSignal {
  let isWanted = false;
  let isBusy = false;
  let reload: (() => Promise<void>) | undefined;
  const answer = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    while (isWanted && reload !== undefined) {
      isWanted = false;
      await reload();
    }
    isBusy = false;
  };
  const onSignal = (): void => {
    isWanted = true;
    void answer();
  };
  process.on("SIGHUP", onSignal);
  return {
    answerWith: (newReload) => {
      reload = newReload;
      void answer();
    },
    stopListening: () => {
      process.off("SIGHUP", onSignal);
      isWanted = false;
    },
  };
}
