import type { ListenAddress } from "../net/listen-address.js";
import { ApiCore, type ApiCoreOptions } from "./api-core.js";
import type { ApiListener } from "./api-listener.js";

/**
 * Makes what makes the listeners of an API server, one after the other, while others come and go. Those that there are at a time
 * have all in common but their addresses: calls are counted over all of them.
 */
export function createApiListeners(options: ApiCoreOptions): (listen: ListenAddress) => ApiListener {
  let core: ApiCore | undefined;
  return (listen) => {
    if (core === undefined || core.isOver) core = new ApiCore(options);
    return core.createListener(listen);
  };
}
