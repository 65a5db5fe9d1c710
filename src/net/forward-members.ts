import { Duplex } from "node:stream";

/** Events that a wrapper emits by itself, as every stream does; all others come from the wrapped stream. */
const streamEvents: readonly (string | symbol)[] = [
  "close",
  "data",
  "drain",
  "end",
  "error",
  "finish",
  "pause",
  "pipe",
  "prefinish",
  "readable",
  "resume",
  "unpipe",
  "newListener",
  "removeListener",
];

/**
 * Gives `target` (a wrapping stream, or the prototype of such) the members that `holder` (a wrapped stream, or its
 * prototype) has beyond a plain Duplex: `remoteAddress`, `setTimeout()`, `getPeerCertificate()`, whatever its users
 * attached to it. Methods run on the wrapped stream; one that returns it for chaining returns the wrapper.
 *
 * Left out are names that begin with `_`, which are Node's own (a stream that shows a `_handle` is read past, not
 * through), and those that `target` has already.
 */
export function forwardMembers<W extends Duplex>(
  target: W,
  holder: object,
  innerOf: (wrapper: W) => Duplex,
): void {
  for (const name of memberNamesOf(holder)) {
    if (name.startsWith("_") || name in target) continue;
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: true,
      get(this: W): unknown {
        return readMember(this, innerOf(this), name);
      },
      set(this: W, value: unknown) {
        Reflect.set(innerOf(this), name, value);
      },
    });
  }
}

/** The prototypes that give a stream its members, from its own up to where every Duplex is alike. */
export function* prototypesOf(stream: Duplex): Generator<object, void, undefined> {
  let prototype: unknown = Object.getPrototypeOf(stream);
  while (typeof prototype === "object" && prototype !== null && prototype !== Duplex.prototype) {
    yield prototype;
    prototype = Object.getPrototypeOf(prototype);
  }
}

/** Hands events beyond a plain stream's (`timeout`, `secureConnect` …) on, from when the first listener wants them. */
export function forwardEvents(wrapper: Duplex, inner: Duplex): void {
  const known = new Set(streamEvents);
  wrapper.on("newListener", (event: string | symbol) => {
    if (known.has(event)) return;
    known.add(event);
    inner.on(event, (...values: unknown[]) => {
      wrapper.emit(event, ...values);
    });
  });
}

/** A socket has its documented `timeout` only from when one is set: all that can set one are given it. */
function memberNamesOf(holder: object): string[] {
  const names = Object.getOwnPropertyNames(holder);
  return names.includes("setTimeout") ? [...names, "timeout"] : names;
}

function readMember(wrapper: Duplex, inner: Duplex, name: string): unknown {
  const member: unknown = Reflect.get(inner, name);
  if (typeof member !== "function") return member;
  return (...values: unknown[]): unknown => {
    const ownValues = name === "setTimeout" ? withoutListener(wrapper, values) : values;
    const result: unknown = Reflect.apply(member, inner, ownValues);
    return result === inner ? wrapper : result;
  };
}

/**
 * What `setTimeout(ms, listener)` has to tell the wrapped socket, which would make the listener its own: whoever uses the
 * wrapper could not remove it.
 */
function withoutListener(wrapper: Duplex, [ms, listener, ...rest]: readonly unknown[]): unknown[] {
  if (!isListener(listener)) return [ms, listener, ...rest];
  if (ms === 0) wrapper.off("timeout", listener);
  else wrapper.once("timeout", listener);
  return [ms];
}

function isListener(value: unknown): value is (...values: unknown[]) => void {
  return typeof value === "function";
}
