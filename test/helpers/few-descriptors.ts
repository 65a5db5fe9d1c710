/** Whether a program can be given few file descriptors: `{ skip: … }` for the options of a test that does so. */
export const whereDescriptorsCanBeFew = {
  skip: process.platform === "win32" ? "Windows has no ulimit" : false,
};

/** The command that runs another one with so many file descriptors. Node itself raises what is only a soft limit. */
export function withDescriptors(count: number, command: readonly string[]): string[] {
  return ["sh", "-c", `ulimit -n ${count} && exec "$@"`, "sh", ...command];
}
