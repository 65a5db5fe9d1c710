import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { askSocks5 } from "../helpers/socks5-client.js";
import { readBytes } from "../helpers/bytes.js";

/** What goes there and back in one exchange. */
const exchanged = Buffer.alloc(256 * 1024, "transfer");

/** A tunnel through a proxy to an echo, by somebody who has nothing to do with an attack. */
export class Tunnel {
  readonly #echo: Server;
  readonly #socket: Socket;

  private constructor(echo: Server, socket: Socket) {
    this.#echo = echo;
    this.#socket = socket;
  }

  static async open(proxyPort: number): Promise<Tunnel> {
    const echo = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    const { port } = echo.address() as AddressInfo;
    const socket = connect(proxyPort, "127.0.0.1");
    await once(socket, "connect");
    const { reply } = await askSocks5(socket, { host: "127.0.0.1", port });
    assert.equal(reply, 0);
    return new Tunnel(echo, socket);
  }

  /** Sends 256 KiB, and resolves when they are back. */
  async exchange(): Promise<void> {
    this.#socket.write(exchanged);
    const back = await readBytes(this.#socket, exchanged.length);
    assert.ok(back.equals(exchanged), "what comes back is what was sent");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#echo.close();
  }
}
