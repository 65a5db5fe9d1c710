import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { socketHandleOf } from "./socket-handle.js";

/** Takes what a socket reads. */
export interface ReadTaker {
  /** Where the next read may go to. Asked at the start, and after each `onRead`. */
  readonly nextBuffer: () => Uint8Array;
  /** Told how much was read, and of the buffer, at whose start it lies. */
  readonly onRead: (length: number, buffer: Uint8Array) => void;
}

/** Where a socket keeps what its `onread` option says. Each is a symbol of Node's own. */
interface OnReadMembers {
  readonly buffer: symbol;
  readonly nextBuffer: symbol;
  readonly callback: symbol;
}

/**
 * Lets connected sockets read into buffers that are used again and again, as the `onread` option does for sockets that are
 * still to be connected.
 *
 * Accepted sockets have no such option, and a busy connection is known as one only later. So it is done to them what the
 * option does: its functions are stored under symbols of Node's, which are found by what they lead to, and the handle is
 * told of the first buffer. The socket stays the same object: nobody who holds it has to know. (A new socket with the same
 * handle would do, too, but then all who close, count or list the old one would have to be told.)
 */
export class SocketReads {
  readonly #members = findMembers();

  /** Whether the reads of a stream can be taken over. */
  canTake(stream: Duplex): boolean {
    return this.#members !== undefined && socketHandleOf(stream) !== undefined;
  }

  /**
   * From now on what the socket reads goes to `taker` instead of to those who listen for data, until it closes. Its end and
   * its errors stay events, and it is paused and resumed as ever. Nothing that it has read may be waiting in it.
   *
   * @returns whether it could be done.
   */
  take(stream: Duplex, { nextBuffer, onRead }: ReadTaker): boolean {
    const handle = socketHandleOf(stream);
    const members = this.#members;
    if (members === undefined || handle === undefined) return false;
    const first = nextBuffer();
    Reflect.set(stream, members.buffer, first);
    Reflect.set(stream, members.nextBuffer, nextBuffer);
    Reflect.set(stream, members.callback, onRead);
    handle.useUserBuffer(first);
    return true;
  }
}

function findMembers(): OnReadMembers | undefined {
  const shared = new Uint8Array(1);
  const nextBuffer = (): Uint8Array => shared;
  const callback = (): boolean => true;
  // Node documents the option, its types know it of `net.connect()` only.
  const withBuffer = { allowHalfOpen: true, onread: { buffer: shared, callback } };
  const withFunction = { allowHalfOpen: true, onread: { buffer: nextBuffer, callback } };
  const buffer = memberOf(new Socket(withBuffer), shared);
  const next = memberOf(new Socket(withFunction), nextBuffer);
  const found = memberOf(new Socket(withFunction), callback);
  if (buffer === undefined || next === undefined || found === undefined) return undefined;
  return { buffer, nextBuffer: next, callback: found };
}

function memberOf(socket: Socket, value: unknown): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find((symbol) => Reflect.get(socket, symbol) === value);
}
