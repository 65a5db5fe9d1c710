import { z } from "zod";
import { networks, type Network } from "../track/network.js";
import { listOrOne } from "./list-or-one.js";
import { oneOf } from "./section.js";

/** Some of {@link networks}, or one. Default: all. */
export function networksField(about: string): z.ZodType<Network[]> {
  return listOrOne(z.enum(networks, { error: oneOf(networks) }))
    .refine((names) => names.length > 0, { error: oneOf(networks) })
    .default([...networks])
    .describe(`${about} Default: both.`);
}
