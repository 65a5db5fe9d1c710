import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runProgram } from "../helpers/program.js";
import { rootPath } from "./outside-tool.js";

describe("a suite whose tool is not installed", { timeout: 20_000, concurrency: 2 }, () => {
  for (const { script, tool, module } of [
    {
      script: "run.js",
      tool: "connectconformance",
      module: "connectrpc.com/conformance/cmd/connectconformance",
    },
    { script: "h2spec.js", tool: "h2spec", module: "github.com/summerwind/h2spec/cmd/h2spec" },
  ]) {
    for (const { required, code, outcome } of [
      { required: undefined, code: 0, outcome: "skipped" },
      { required: "1", code: 1, outcome: "required here" },
    ]) {
      it(`says in a line that ${tool} is ${outcome}, and how to install it`, async () => {
        const file = join(rootPath, "build", "test", "conformance", script);
        const env = { PATH: "", V2RAY_API_REQUIRE_CLIENTS: required };
        const result = await runProgram(process.execPath, [file], { env });
        assert.equal(result.code, code);
        assert.equal(result.stdout, "");
        const [line = "", ...others] = result.stderr.split("\n");
        const command = `${tool} is not on PATH: ${outcome}; to install it: go install ${module}@v`;
        assert.equal(line.slice(0, command.length), command);
        assert.deepEqual(others, [""]);
      });
    }
  }
});
