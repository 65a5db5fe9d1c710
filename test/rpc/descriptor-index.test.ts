import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFileRegistry, fromBinary, fromJson, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Health } from "#gen/grpc/health/v1/health_pb.js";
import { StatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { DescriptorIndex } from "../../src/rpc/descriptor-index.js";

const string = { type: "TYPE_STRING", label: "LABEL_OPTIONAL" };

/** Files that import each other, with an extension and everything that can have a name. */
const set = fromJson(FileDescriptorSetSchema, {
  file: [
    {
      name: "base.proto",
      package: "t.base",
      syntax: "proto2",
      messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
    },
    {
      name: "middle.proto",
      package: "t.middle",
      syntax: "proto2",
      dependency: ["base.proto"],
      messageType: [
        {
          name: "Outer",
          field: [{ name: "text", number: 1, oneofIndex: 0, ...string }],
          oneofDecl: [{ name: "choice" }],
          nestedType: [{ name: "Inner", field: [{ name: "deep", number: 1, ...string }] }],
          enumType: [{ name: "Kind", value: [{ name: "SMALL", number: 0 }] }],
          extension: [{ name: "nested", number: 101, extendee: ".t.base.Base", ...string }],
        },
      ],
      enumType: [{ name: "Color", value: [{ name: "RED", number: 0 }] }],
      extension: [{ name: "more", number: 100, extendee: ".t.base.Base", ...string }],
    },
    {
      name: "top.proto",
      package: "t.top",
      syntax: "proto3",
      dependency: ["middle.proto", "base.proto"],
      service: [
        {
          name: "Top",
          method: [{ name: "Do", inputType: ".t.middle.Outer", outputType: ".t.base.Base" }],
        },
      ],
    },
  ],
});

function topService(): DescService {
  return createFileRegistry(set).getService("t.top.Top") ?? assert.fail("there is no such service");
}

/** The names of serialized files. */
function namesOf(files: readonly Uint8Array[] | undefined): string[] | undefined {
  return files?.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe("DescriptorIndex", () => {
  it("lists its services from A to Z", () => {
    assert.deepEqual(new DescriptorIndex([StatsService, topService(), Health]).serviceNames, [
      "grpc.health.v1.Health",
      "t.top.Top",
      "xray.app.stats.command.StatsService",
    ]);
  });

  const whole = ["top.proto", "middle.proto", "base.proto"];
  const files: Readonly<Record<string, readonly string[]>> = {
    "top.proto": whole,
    "middle.proto": ["middle.proto", "base.proto"],
    "base.proto": ["base.proto"],
  };
  for (const [name, expected] of Object.entries(files)) {
    it(`has ${name} with what it imports, each file once`, () => {
      assert.deepEqual(namesOf(new DescriptorIndex([topService()]).fileNamed(name)), expected);
    });
  }

  const symbols: Readonly<Record<string, string>> = {
    "t.top.Top": "top.proto",
    "t.top.Top.Do": "top.proto",
    "t.middle.Outer": "middle.proto",
    "t.middle.Outer.text": "middle.proto",
    "t.middle.Outer.choice": "middle.proto",
    "t.middle.Outer.Inner": "middle.proto",
    "t.middle.Outer.Inner.deep": "middle.proto",
    "t.middle.Outer.Kind": "middle.proto",
    "t.middle.Outer.SMALL": "middle.proto",
    "t.middle.Outer.nested": "middle.proto",
    "t.middle.Color": "middle.proto",
    "t.middle.RED": "middle.proto",
    "t.middle.more": "middle.proto",
    "t.base.Base": "base.proto",
  };
  for (const [symbol, file] of Object.entries(symbols)) {
    it(`finds ${symbol} in ${file}`, () => {
      assert.equal(namesOf(new DescriptorIndex([topService()]).fileOf(symbol))?.[0], file);
    });
  }

  for (const symbol of [
    "",
    "t",
    "t.top",
    "Top",
    ".t.top.Top",
    "t.top.Top.Undo",
    "t.middle.Color.RED",
    "__proto__",
  ]) {
    it(`finds nothing for ${JSON.stringify(symbol)}`, () => {
      const index = new DescriptorIndex([topService()]);
      assert.equal(index.fileOf(symbol), undefined);
      assert.equal(index.fileNamed(symbol), undefined);
      assert.equal(index.extensionNumbers(symbol), undefined);
    });
  }

  it("finds extensions, by their number and all of a message", () => {
    const index = new DescriptorIndex([topService()]);
    assert.deepEqual(namesOf(index.fileOfExtension("t.base.Base", 100)), ["middle.proto", "base.proto"]);
    assert.deepEqual(namesOf(index.fileOfExtension("t.base.Base", 101)), ["middle.proto", "base.proto"]);
    assert.equal(index.fileOfExtension("t.base.Base", 102), undefined);
    assert.equal(index.fileOfExtension("t.middle.Outer", 100), undefined);
    assert.deepEqual(index.extensionNumbers("t.base.Base")?.toSorted(), [100, 101]);
    assert.deepEqual(index.extensionNumbers("t.middle.Outer"), []);
  });

  it("hands files out as they were described", () => {
    const [top] = new DescriptorIndex([topService()]).fileNamed("top.proto") ?? [];
    assert.ok(top !== undefined);
    const { $typeName, name, service } = fromBinary(FileDescriptorProtoSchema, top);
    assert.equal($typeName, "google.protobuf.FileDescriptorProto");
    assert.equal(name, "top.proto");
    assert.deepEqual(service[0]?.method[0]?.outputType, ".t.base.Base");
  });
});
