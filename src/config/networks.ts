import { z } from "zod";
import { listOrOne } from "./list-or-one.js";
import { oneOf } from "./section.js";

/** What connections there are, in sing-box's words. */
export const networks = ["tcp", "udp"] as const;

export type Network = (typeof networks)[number];

/** Some of {@link networks}, or one. Default: all. */
export function networksField(about: string): z.ZodType<Network[]> {
  return listOrOne(z.enum(networks, { error: oneOf(networks) }))
    .refine((names) => names.length > 0, { error: oneOf(networks) })
    .default([...networks])
    .describe(`${about} Default: both.`);
}
