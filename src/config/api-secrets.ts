import type { z } from "zod";
import { flagField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section } from "./section.js";

/** A secret with which one may call the API. */
export type SecretConfig = z.output<typeof secretSchema>;

/** What the secret without a name is called. */
export const unnamedSecret = "secret";

const maxSecretLength = 1_024;

/** What a header carries as it is, and no blank: that would end it. */
function secretField(about: string) {
  return textField(
    about,
    `a secret of 1 to ${maxSecretLength} visible ASCII characters`,
    (text) => /^[\x21-\x7e]+$/.test(text) && text.length <= maxSecretLength,
  );
}

const secretSchema = section({
  name: textField("Whose it is, for messages.", "a name", (name) => name !== ""),
  secret: secretField("The secret."),
  reset: flagField("Whether who has it may set counters to zero. Others only read.").default(false),
}).describe("A secret of the API, and what it allows.");

/** The keys that say who may call. */
export const secretsShape = {
  secret: secretField(
    "Who has it may call the API, and reset. Clients send it as `authorization: Bearer SECRET`. With this or `secrets`, everything but gRPC's health service asks for one. Let it be long and random, as from `openssl rand -hex 32`.",
  ).optional(),
  secrets: listOrOne(secretSchema)
    .default([])
    .describe("More secrets, with names and with the right to reset or without."),
};

/** All secrets that there are; that without a name is called `secret`. None: everybody may call. */
export function secretsOf({
  secret,
  secrets,
}: {
  readonly secret?: string | undefined;
  readonly secrets: readonly SecretConfig[];
}): readonly SecretConfig[] {
  return secret === undefined ? secrets : [{ name: unnamedSecret, secret, reset: true }, ...secrets];
}
