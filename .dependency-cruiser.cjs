// The floors of the house: a folder imports only what stands below it. CONTRIBUTING.md has the map.
const floors = {
  "^src/log/": [],
  "^src/stats/": [],
  "^src/net/": ["^src/log/"],
  "^src/track/": ["^src/(log|stats|net)/"],
  "^src/rpc/": ["^src/(log|stats|net|track)/", "^gen/"],
  "^src/client/": [
    "^src/stats/",
    "^src/net/(certificates|endpoint|system-error|unless-aborted)\\.ts$",
    "^gen/",
  ],
  "^src/proxy/": ["^src/(log|net|track)/"],
  "^src/config/": ["^src/(log|stats|net|track|proxy)/"],
  "^src/parts/": ["^src/(log|net)/"],
  "^src/create-[a-z]+\\.ts$": ["^src/(log|stats|net|track|proxy|config|parts)/"],
  "^src/app-settings\\.ts$": ["^src/(net|track|proxy|config)/"],
  "^src/assembly\\.ts$": ["^src/(log|stats|net|track|proxy|config|parts)/", "^src/create-[a-z]+\\.ts$"],
  "^src/app\\.ts$": [
    "^src/(log|stats|net|track|proxy|config|parts)/",
    "^src/(app-settings|assembly|create-[a-z]+)\\.ts$",
  ],
  "^src/api-limits-of\\.ts$": ["^src/(config|rpc)/"],
  "^src/index\\.ts$": [
    "^src/(log|stats|net|track|proxy|config|rpc|parts)/",
    "^src/(api-limits-of|app|assembly|create-api)\\.ts$",
  ],
  "^src/proxy-entry\\.ts$": [
    "^src/(log|stats|net|track|proxy|config|parts)/",
    "^src/(app|assembly|create-api)\\.ts$",
  ],
  "^src/stats-entry\\.ts$": ["^src/(log|stats|net|track)/"],
  "^src/cli/": [
    "^src/index\\.ts$",
    "^src/(config|client|stats)/",
    "^src/net/(certificates|endpoint|system-error)\\.ts$",
  ],
};

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "known-room",
      comment: "Every file of src stands on a floor that this file names.",
      severity: "error",
      from: { path: "^src/", pathNot: Object.keys(floors) },
      to: {},
    },
    ...Object.entries(floors).map(([from, below]) => ({
      name: `floor ${from}`,
      severity: "error",
      from: { path: from },
      to: { path: "^(src|gen)/", pathNot: [from, ...below] },
    })),
    {
      name: "connect-only-where-it-calls-or-is-called",
      comment: "The V2Ray API is a plug: everything else runs without a Connect module.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(rpc|client)/" },
      to: { path: "node_modules/(@connectrpc|@bufbuild|re2js)/" },
    },
    {
      name: "proxy-entry-without-connect",
      severity: "error",
      from: { path: "^src/proxy-entry\\.ts$" },
      to: { path: "node_modules/(@connectrpc|@bufbuild|re2js)/", reachable: true },
    },
    {
      name: "stats-entry-without-packages",
      severity: "error",
      from: { path: "^src/stats-entry\\.ts$" },
      to: { path: "node_modules/", reachable: true },
    },
    {
      name: "ground-floor-is-bare",
      severity: "error",
      from: { path: "^src/(log|stats|net)/" },
      to: { path: "node_modules/" },
    },
    {
      name: "stats-is-pure",
      severity: "error",
      from: { path: "^src/stats/" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "resolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
