#!/usr/bin/env node
import { runCommandLine } from "./command-line.js";

// Whoever reads what we print may go away (`| head -1`): that must not end a server.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.exit(await runCommandLine(process.argv.slice(2), process));
