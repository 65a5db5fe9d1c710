/** All commands, as they are printed after `--help`. */
export const usage = `usage:
  v2ray-api run [-c FILE]         run the proxy and the V2Ray API that a config describes
  v2ray-api check [-c FILE]       check a config: prints ok, or everything that is wrong with it
  v2ray-api stats [PATTERN]...    print the counters whose names contain a pattern, or all
  v2ray-api get NAME              print one counter's bytes
  v2ray-api sys                   print figures of the serving process
  v2ray-api online [USER]         print who is connected, or from where a user is
  v2ray-api top                   show the rates of users, inbounds or outbounds, live
  v2ray-api api COMMAND           the commands of \`v2ray api\` and \`xray api\`, to the letter
  v2ray-api completion bash       print a script that completes this command line

"v2ray-api COMMAND --help" tells more of one. Exit codes: 0 all went well, 1 it did not, 2 the command line is wrong.
`;
