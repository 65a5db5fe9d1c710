import { checkConfig } from "./check-config.js";
import { ConfigError } from "./config-error.js";
import { formatConfigPath } from "./config-path.js";
import type { Config } from "./config.js";

/**
 * Checks a config that is already an object, for programs that build theirs instead of writing a file. The object is
 * left as it is.
 *
 * @throws ConfigError with everything that is wrong; offsets and lengths are 0, since there is no text.
 */
export function toConfig(value: unknown): Config {
  const { config, findings } = checkConfig(value);
  if (config !== undefined) return config;
  throw new ConfigError(
    findings.map(({ path, message }) => ({ path: formatConfigPath(path), message, offset: 0, length: 0 })),
  );
}
