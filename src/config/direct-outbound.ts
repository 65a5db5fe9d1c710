import { connectTimeoutField } from "./connect-timeout.js";
import { typeField } from "./fields.js";
import { section } from "./section.js";
import { tagField } from "./tag.js";

export const directOutboundSchema = section({
  type: typeField("direct"),
  tag: tagField(),
  connect_timeout: connectTimeoutField("look-up and connecting"),
}).describe("Connects to the destination itself.");
