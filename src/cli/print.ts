import type { TextOutput } from "./command.js";

/**
 * Prints, and waits until the text has left the process: whoever reads a pipe may be slow, and the end of the process would
 * cut what it has not yet taken.
 *
 * @returns whether it was taken; `false` if nobody reads any more.
 */
export async function print(output: TextOutput, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    output.write(text, (error) => {
      resolve(error === undefined || error === null);
    });
  });
}
