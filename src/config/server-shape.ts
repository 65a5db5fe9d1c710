import { hostField, remotePortField } from "./fields.js";

/** The keys of an outbound that leaves through a proxy: where that is. */
export const serverShape = {
  server: hostField("The proxy's address."),
  server_port: remotePortField("The proxy's port."),
};

/** What is said of a password without a name. */
export const loginExpected = 'a "username" beside the "password"';

/** Whether it is clear as whom to log in, if at all. */
export function isWholeLogin(login: {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}): boolean {
  return login.username !== undefined || login.password === undefined;
}
