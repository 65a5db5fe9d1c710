/**
 * Options for sockets that are accepted or dialled: their other end is asked whether it is still there (TCP keep-alive,
 * RFC 9293 §3.8.4).
 *
 * A peer that vanished without a word, its power or its link gone, sends nothing ever again, so that nothing else would
 * tell an idle tunnel that it is over. The first probe goes out after five idle minutes, as in sing-box; then libuv sends
 * ten, one a second, and a connection that answers none of them fails with `ETIMEDOUT`.
 */
export const tcpKeepAlive = { keepAlive: true, keepAliveInitialDelay: 300_000 } as const;
