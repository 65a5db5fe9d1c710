import { apiCommands } from "./api-commands.js";
import { getOptions, readOptions, statsOptions, topOptions } from "./client-options.js";
import type { Command, CommandGroup } from "./command.js";
import { configOptions } from "./config-option.js";

const resetNote =
  "What is reset is gone from the server: whoever else reads the counters sees only what comes afterwards.";

/** All that the program can do. */
export const commands: readonly (Command | CommandGroup)[] = [
  {
    name: "run",
    synopsis: "[-c FILE]",
    summary: "run the proxy and the V2Ray API that a config describes",
    options: configOptions,
    load: async () => (await import("./run.js")).run,
  },
  {
    name: "check",
    synopsis: "[-c FILE]",
    summary: "check a config: prints ok, or everything that is wrong with it",
    options: configOptions,
    load: async () => (await import("./check.js")).check,
  },
  {
    name: "stats",
    synopsis: "[PATTERN]...",
    summary: "print the counters whose names contain a pattern, or all",
    options: statsOptions,
    details: [
      "A counter's name is inbound>>>TAG>>>traffic>>>uplink, and so on for outbound and user, and downlink.",
      "Xray and V2Ray 4 match no regular expressions: there it is done here, and --reset is refused.",
      resetNote,
    ],
    load: async () => (await import("./stats.js")).stats,
  },
  {
    name: "get",
    synopsis: "NAME",
    summary: "print one counter's bytes",
    options: getOptions,
    details: [resetNote],
    load: async () => (await import("./get.js")).get,
  },
  {
    name: "sys",
    synopsis: "",
    summary: "print figures of the serving process",
    options: readOptions,
    load: async () => (await import("./sys.js")).sys,
  },
  {
    name: "online",
    synopsis: "[USER]",
    summary: "print who is connected, or from where a user is",
    options: readOptions,
    details: ["It takes a server that knows: Xray, or this one."],
    load: async () => (await import("./online.js")).online,
  },
  {
    name: "top",
    synopsis: "",
    summary: "show the rates of users, inbounds or outbounds, live",
    options: topOptions,
    details: [
      "In a terminal, u, i and o show users, inbounds and outbounds, and q quits. In a pipe, it prints one table after the",
      "other. Nothing is ever reset. Where NO_COLOR is set, there are no colours.",
    ],
    load: async () => (await import("./top.js")).top,
  },
  {
    name: "api",
    summary: "the commands of `v2ray api` and `xray api`, to the letter",
    commands: apiCommands,
    details: [
      "Options, defaults and what is printed are those of V2Ray and Xray, so that scripts go on with another program's name.",
    ],
  },
  {
    name: "completion",
    synopsis: "bash",
    summary: "print a script that completes this command line",
    options: {},
    choices: ["bash"],
    details: ["For a shell that is running: source <(v2ray-api completion bash)"],
    load: async () => (await import("./completion.js")).createCompletion(commands),
  },
];
