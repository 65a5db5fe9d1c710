import { toBinary, type DescExtension, type DescFile, type DescService } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** A described thing: a file's, a message's, a service's … */
type Described = ReturnType<typeof nestedTypes> extends Iterable<infer T> ? T : never;

/**
 * The descriptors of services and of all that these refer to, as reflection asks for them. A file comes with the files that
 * it imports, directly or not, each a serialized `FileDescriptorProto`.
 */
export class DescriptorIndex {
  /** The full names of the services, from A to Z. */
  readonly serviceNames: readonly string[];
  readonly #filesByName = new Map<string, DescFile>();
  readonly #filesBySymbol = new Map<string, DescFile>();
  readonly #extensions: DescExtension[] = [];

  constructor(services: Iterable<DescService>) {
    const all = [...services];
    this.serviceNames = all.map(({ typeName }) => typeName).sort();
    for (const { file } of all) this.#add(file);
  }

  /** The file of that name, `grpc/health/v1/health.proto`; `undefined` if there is none. */
  fileNamed(name: string): Uint8Array[] | undefined {
    return serialize(this.#filesByName.get(name));
  }

  /** The file that declares a service, message, enum or extension, or a method, field, oneof or value of one. */
  fileOf(symbol: string): Uint8Array[] | undefined {
    return serialize(this.#filesBySymbol.get(symbol));
  }

  /** The file that declares an extension of a message. */
  fileOfExtension(typeName: string, fieldNumber: number): Uint8Array[] | undefined {
    const isMeant = ({ extendee, number }: DescExtension): boolean =>
      extendee.typeName === typeName && number === fieldNumber;
    return serialize(this.#extensions.find(isMeant)?.file);
  }

  /** The numbers of the extensions of a message; `undefined` if there is no such message. */
  extensionNumbers(typeName: string): number[] | undefined {
    if (!this.#filesBySymbol.has(typeName)) return undefined;
    return this.#extensions
      .filter(({ extendee }) => extendee.typeName === typeName)
      .map(({ number }) => number);
  }

  #add(file: DescFile): void {
    const { name } = file.proto;
    if (this.#filesByName.has(name)) return;
    this.#filesByName.set(name, file);
    for (const desc of nestedTypes(file)) {
      for (const symbol of [desc.typeName, ...memberNames(desc)]) this.#filesBySymbol.set(symbol, file);
      if (desc.kind === "extension") this.#extensions.push(desc);
    }
    for (const dependency of file.dependencies) this.#add(dependency);
  }
}

/** The full names of what a descriptor has inside, but for what is nested in it and comes by itself. */
function memberNames(desc: Described): string[] {
  const inside = ({ name }: { readonly name: string }): string => `${desc.typeName}.${name}`;
  switch (desc.kind) {
    case "message":
      return [...desc.fields, ...desc.oneofs].map(inside);
    case "service":
      return desc.methods.map(inside);
    case "enum": {
      // The values of an enum are its siblings, as in C++.
      const scope = desc.typeName.slice(0, -desc.name.length);
      return desc.values.map(({ name }) => scope + name);
    }
    case "extension":
      return [];
  }
}

/** A file, and behind it those that it needs, each once. */
function serialize(file: DescFile | undefined): Uint8Array[] | undefined {
  if (file === undefined) return undefined;
  // A set goes through what is added to it on the way.
  const files = new Set([file]);
  for (const { dependencies } of files) for (const dependency of dependencies) files.add(dependency);
  return Array.from(files, ({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
