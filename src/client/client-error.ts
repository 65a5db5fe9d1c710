/**
 * What kept a call from being answered:
 *
 * - `unreachable`: there is no connection to be had;
 * - `timeout`: the server did not answer in time;
 * - `interrupted`: the caller waits no longer;
 * - `tls`: one of the two does not speak TLS, or does not trust the other's certificate;
 * - `credentials`: our own certificate, key or authorities are none, or cannot be read; no server has a part in that;
 * - `protocol`: it is no gRPC server;
 * - `unimplemented`: it has no StatsService, or the service lacks this call;
 * - `not_found`: there is no such counter, no such user;
 * - `refused`: it said no to the call, for any other reason;
 * - `too_large`: its answer is larger than is taken;
 * - `bad_regexp`: a pattern is no regular expression;
 * - `no_regexp`: it cannot match regular expressions, and without that nothing can be reset by them.
 */
export type ClientErrorCode =
  | "unreachable"
  | "timeout"
  | "interrupted"
  | "tls"
  | "credentials"
  | "protocol"
  | "unimplemented"
  | "not_found"
  | "refused"
  | "too_large"
  | "bad_regexp"
  | "no_regexp";

/** A server of the family could not be read. The message is for people, and does not name the server. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
