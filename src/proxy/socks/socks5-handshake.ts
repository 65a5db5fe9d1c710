import type { Socket } from "node:net";
import { readParsed, ReadError } from "../../net/byte-reader.js";
import type { Endpoint } from "../../net/endpoint.js";
import { endWith } from "../../net/linger.js";
import { remoteEndpointOf } from "../../net/socket-endpoint.js";
import type { ProxyRequest } from "../inbound.js";
import {
  formatLoginAnswer,
  formatMethodChoice,
  formatReply,
  parseGreeting,
  parseLogin,
  parseRequest,
  socks5Methods,
  socks5Replies,
  socks5ReplyTo,
} from "./socks5.js";
import { SocksRefusal, type SocksHandshakeOptions } from "./socks-handshake.js";

/** A client's wish to send packets: its login is right, but it has no answer yet. */
export interface AssociateRequest {
  /** The connection on which it asked: the association lasts as long as it does. */
  readonly control: Socket;
  /** Name under which the client authenticated; absent where nobody has to. */
  readonly user?: string | undefined;
  /** Where the client will send its packets from; all zeros if it does not know. */
  readonly expected: Endpoint;
  /** Tells the client where to send its packets. */
  accept(relay: Endpoint): void;
  /** Tells the client that it gets no association, and closes. */
  reject(): void;
}

/**
 * Talks to a SOCKS5 client until it has said where it wants to go, or that it wants to send packets (RFC 1928, RFC 1929).
 *
 * States: greeting → (login, where there are users) → request. Any of them ends the conversation when it is wrong:
 *
 * | state    | wrong                                  | answer           |
 * |----------|----------------------------------------|------------------|
 * | greeting | the method we need is not offered      | 05 FF            |
 * | login    | another version, unknown name, password| 01 01            |
 * | request  | version; command; address type         | REP 01; 07; 08   |
 *
 * The answer to a wrong name or password may come late; until then nothing is read.
 *
 * @throws SocksRefusal after one of these answers; ReadError if the client left or was too slow.
 */
export async function acceptSocks5(
  client: Socket,
  { inbound, users, logins, timeoutMs, lingerMs, withPackets = false }: SocksHandshakeOptions,
): Promise<ProxyRequest | AssociateRequest> {
  const refuse = (answer: Buffer, reason: string): SocksRefusal => {
    endWith(client, answer, lingerMs);
    return new SocksRefusal(reason);
  };
  const offered = await readParsed(client, parseGreeting, { timeoutMs });
  const needed = users.areRequired ? socks5Methods.password : socks5Methods.anonymous;
  if (!offered.includes(needed)) {
    throw refuse(formatMethodChoice(socks5Methods.none), `SOCKS method ${needed} is not offered`);
  }
  client.write(formatMethodChoice(needed));
  const user = users.areRequired ? await logIn(client, { users, logins, timeoutMs, refuse }) : undefined;

  const request = await readParsed(client, parseRequest, { timeoutMs });
  if (request.kind === "refused") throw refuse(formatReply(request.reply), request.reason);
  const accept = (boundTo: Endpoint): void => {
    client.write(formatReply(socks5Replies.succeeded, boundTo));
  };
  if (request.kind === "connect") {
    return {
      inbound,
      client,
      user,
      source: remoteEndpointOf(client),
      destination: request.destination,
      accept,
      reject: ({ code }) => {
        endWith(client, formatReply(socks5ReplyTo(code)), lingerMs);
      },
    };
  }
  if (!withPackets) {
    throw refuse(formatReply(socks5Replies.commandNotSupported), "SOCKS command 3 is not supported");
  }
  return {
    ...{ control: client, user, expected: request.expected, accept },
    reject: () => {
      endWith(client, formatReply(socks5Replies.generalFailure), lingerMs);
    },
  };
}

interface LoginOptions extends Pick<SocksHandshakeOptions, "users" | "logins" | "timeoutMs"> {
  /** Says the last word. */
  readonly refuse: (answer: Buffer, reason: string) => SocksRefusal;
}

async function logIn(client: Socket, { users, logins, timeoutMs, refuse }: LoginOptions): Promise<string> {
  try {
    const { username, password } = await readParsed(client, parseLogin, { timeoutMs });
    if (!users.authenticate(username, password)) {
      await logins.release(client);
      throw refuse(formatLoginAnswer(false), "wrong username or password");
    }
    client.write(formatLoginAnswer(true));
    return username;
  } catch (error) {
    if (error instanceof ReadError && error.code === "malformed") {
      throw refuse(formatLoginAnswer(false), error.message);
    }
    throw error;
  }
}
