#!/usr/bin/env node
import { isatty } from "node:tty";
import { runCommandLine } from "./command-line.js";
import { keepCompiled } from "./compile-cache.js";

// Before a command is loaded.
keepCompiled(process.env);

// Whoever reads what we print may go away (`| head -1`): that must not end a server.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const terminals = [0, 1, 2].filter((fd) => isatty(fd));
// What it fails with ends the process.
void runCommandLine(process.argv.slice(2), process).then((exitCode) => {
  // To exit, Node gives the terminal back, and aborts where that has gone. Who minds no hang-up ends like this.
  if (exitCode === 129 || terminals.some((fd) => !isatty(fd))) process.kill(process.pid, "SIGHUP");
  process.exit(exitCode);
});
