import { typeField } from "./fields.js";
import { section } from "./section.js";
import { tagField } from "./tag.js";

export const blockOutboundSchema = section({
  type: typeField("block"),
  tag: tagField(),
}).describe(
  "Ends connections: SOCKS5 clients are answered 02 (not allowed by ruleset), SOCKS4 clients 5B, HTTP clients 403. What is blocked is not counted.",
);
