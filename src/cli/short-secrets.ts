import { secretsOf } from "../config/api-secrets.js";
import type { Config } from "../config/config.js";

/** Beyond what is found by trying, and below what any generator of secrets gives. */
const minLength = 16;

/**
 * Says of the API's secrets that they are short enough to be found, a line each. How late wrong ones are answered keeps nobody
 * out who tries them on many connections.
 */
export function findShortSecrets({ experimental: { v2ray_api: api } }: Config): readonly string[] {
  return secretsOf(api)
    .filter(({ secret }) => secret.length < minLength)
    .map(
      ({ name }) =>
        `the secret ${JSON.stringify(name)} has fewer than ${minLength} characters and can be guessed: take one from "openssl rand -hex 32"`,
    );
}
