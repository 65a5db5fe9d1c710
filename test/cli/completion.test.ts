import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Command, CommandGroup } from "../../src/cli/command.js";
import { commands } from "../../src/cli/commands.js";
import { createCompletion } from "../../src/cli/completion.js";
import { FakeProcess } from "../helpers/fake-process.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { runCommand } from "../helpers/run-command.js";
import { createTempDir } from "../helpers/temp-dir.js";

/** Prints what bash would complete the last of the words with, a line each. */
const completing = `
eval "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_v2ray_api v2ray-api "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** What bash completes the last of the words with. */
async function complete(script: string, words: readonly string[], cwd?: string): Promise<readonly string[]> {
  const args = ["--norc", "-c", completing, "bash", script, "v2ray-api", ...words];
  const { code, stdout, stderr } = await runProgram("bash", args, cwd === undefined ? {} : { cwd });
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.split("\n").filter((word) => word !== "");
}

describe("createCompletion", needs("bash"), () => {
  const leaf: Command = {
    name: "leaf",
    synopsis: "",
    summary: "",
    options: {},
    load: () => assert.fail("nobody runs it"),
  };
  const group: CommandGroup = { name: "group", summary: "", details: [], commands: [leaf] };

  it("completes commands of any groups, and of none", async () => {
    for (const [commands, words, completions] of [
      [[leaf, group, { ...group, name: "others" }], ["others", ""], ["leaf"]],
      [[leaf, group, { ...group, name: "others" }], ["group", "leaf", ""], ["--help"]],
      [[leaf, group, { ...group, name: "others" }], ["leaf", ""], ["--help"]],
      [[leaf], ["l"], ["leaf"]],
      [[leaf], ["leaf", "leaf", ""], ["--help"]],
    ] as const) {
      const process = new FakeProcess();
      assert.equal(await createCompletion(commands)(["bash"], process), 0);
      assert.deepEqual(await complete(process.printed.stdout, words), completions);
    }
  });
});

describe("v2ray-api completion bash", needs("bash"), () => {
  let script = "";
  before(async () => {
    const { code, stdout, stderr } = await runCommand("completion", "bash");
    assert.deepEqual([code, stderr], [0, ""]);
    script = stdout;
  });

  const names = [...commands.map(({ name }) => name), "help"];
  const tls = ["--tls", "--ca", "--cert", "--key", "--server-name"];
  const server = ["--server", "--timeout", "--secret", "--secret-file", ...tls];
  const table: readonly (readonly [words: readonly string[], completions: readonly string[]])[] = [
    [[""], names],
    [["s"], ["stats", "sys"]],
    [["sta"], ["stats"]],
    [["nope"], []],
    [
      ["api", ""],
      ["stats", "statsquery", "statssys", "statsonline", "statsonlineiplist", "statsgetallonlineusers"],
    ],
    [
      ["api", "statsonl"],
      ["statsonline", "statsonlineiplist"],
    ],
    [
      ["stats", "--"],
      ["--regexp", "--reset", "--json", ...server, "--help"],
    ],
    [["stats", "user", "--reg"], ["--regexp"]],
    [
      ["sys", "-"],
      ["--json", ...server, "--help"],
    ],
    [
      ["api", "stats", "-r"],
      ["-regexp", "-reset", "-runtime"],
    ],
    [["api", "statsquery", "-json", "-p"], ["-pattern"]],
    [
      ["top", "--by", ""],
      ["inbound", "outbound", "user"],
    ],
    [["top", "--by", "i"], ["inbound"]],
    [["top", "--interval", ""], []],
    [["stats", "-s", ""], []],
    [["completion", "b"], ["bash"]],
    [["serve", ""], []],
  ];
  for (const [words, completions] of table) {
    it(`completes ${JSON.stringify(words)}`, async () => {
      assert.deepEqual(await complete(script, words), completions);
    });
  }

  it("completes the files that a config can be", async (t) => {
    const folder = createTempDir(t);
    folder.write("config.json", "{}");
    folder.write("a file.json", "{}");
    for (const option of ["-c", "--config"]) {
      assert.deepEqual(await complete(script, ["run", option, "con"], folder.path), ["config.json"]);
      assert.deepEqual(await complete(script, ["check", option, "a"], folder.path), ["a file.json"]);
    }
  });

  it("loads in a shell that stops at every mistake", async () => {
    const strict = 'set -euo pipefail; eval "$1"; complete -p v2ray-api';
    const result = await runProgram("bash", ["--norc", "-c", strict, "bash", script]);
    assert.deepEqual(result, { code: 0, stdout: "complete -F _v2ray_api v2ray-api\n", stderr: "" });
  });
});

describe("v2ray-api completion", () => {
  for (const args of [[], ["fish"], ["bash", "zsh"]]) {
    it(`refuses ${JSON.stringify(args)}`, async () => {
      assert.deepEqual(await runCommand("completion", ...args), {
        code: 2,
        stdout: "",
        stderr:
          'v2ray-api completion: it takes the name of a shell, which is "bash"\n' +
          "usage: v2ray-api completion bash\n",
      });
    });
  }
});
