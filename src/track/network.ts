/** What a routed connection runs over, in sing-box's words: a stream of bytes (`tcp`) or packets (`udp`). */
export const networks = ["tcp", "udp"] as const;

export type Network = (typeof networks)[number];
