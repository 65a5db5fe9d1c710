import type { Socket } from "node:net";
import { formatEndpoint, type Endpoint } from "../../src/net/endpoint.js";
import { readBytes } from "../helpers/bytes.js";
import { basicLogin, connectHead, readHttpAnswer } from "../helpers/http-client.js";
import { requestHead } from "../helpers/http-messages.js";
import { askSocks4 } from "../helpers/socks4-client.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { closed } from "../helpers/timing.js";
import { users } from "./users.js";

/** Begins a handshake and leaves. */
type Abandonment = (socket: Socket, destination: Endpoint) => unknown;

const user = users.barred;
const login = socks5Login(user.username, user.password);
const wrongUser = { ...user, password: "wrong" };

/** All the ways of not getting a connection that are the client's own doing. */
const abandonments: readonly [Abandonment, ...Abandonment[]] = [
  (socket) => socket.end(),
  (socket) => socket.resetAndDestroy(),
  (socket) => {
    sendAndReset(socket, socks5Greeting(2).subarray(0, 2));
  },
  async (socket) => {
    socket.write(socks5Greeting(2));
    await readBytes(socket, 2);
    socket.end();
  },
  async (socket) => {
    socket.write(socks5Greeting(2));
    await readBytes(socket, 2);
    socket.write(socks5Login(wrongUser.username, wrongUser.password));
    await readBytes(socket, 2);
  },
  async (socket, destination) => {
    socket.write(Buffer.concat([socks5Greeting(2), login]));
    await readBytes(socket, 4);
    sendAndReset(socket, socks5Request(destination).subarray(0, 6));
  },
  // The whole handshake at once, and gone before there can be an answer.
  (socket, destination) => {
    sendAndReset(socket, Buffer.concat([socks5Greeting(2), login, socks5Request(destination)]));
  },
  (socket, destination) => {
    sendAndReset(socket, connectHead(formatEndpoint(destination), basicLogin(user)));
  },
  (socket, destination) => {
    sendAndReset(socket, connectHead(formatEndpoint(destination)).slice(0, 20));
  },
  (socket, destination) =>
    socket.end(requestHead("GET", `http://${formatEndpoint(destination)}/`).slice(0, 30)),
  async (socket, destination) => {
    socket.write(connectHead(formatEndpoint(destination), basicLogin(wrongUser)));
    await readHttpAnswer(socket);
    socket.end();
  },
  // It carries no password.
  async (socket, destination) => askSocks4(socket, destination),
];

/** Begins a handshake in one of many ways and does not end it; resolves when the connection has closed. */
export async function abandon(socket: Socket, destination: Endpoint, which: number): Promise<void> {
  const [first] = abandonments;
  await (abandonments[which % abandonments.length] ?? first)(socket, destination);
  await leave(socket);
}

/** Begins a handshake and says nothing more, without leaving; resolves when the proxy has had enough of it. */
export async function keepWaiting(socket: Socket, destination: Endpoint, which: number): Promise<void> {
  const beginnings: readonly (Uint8Array | string)[] = [
    "",
    socks5Greeting(2),
    Buffer.concat([socks5Greeting(2), login, socks5Request(destination).subarray(0, 6)]),
    connectHead(formatEndpoint(destination)).slice(0, 20),
  ];
  socket.write(beginnings[which % beginnings.length] ?? "");
  await leave(socket);
}

function sendAndReset(socket: Socket, bytes: Uint8Array | string): void {
  socket.write(bytes, () => socket.resetAndDestroy());
}

/** Lets the proxy have the last word. */
async function leave(socket: Socket): Promise<void> {
  socket.on("end", () => {
    socket.end();
  });
  socket.resume();
  await closed(socket);
}
