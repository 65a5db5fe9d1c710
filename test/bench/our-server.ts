// The app that `v2ray-api run` runs, with counters in it from the start.
//
//   node our-server.js CONFIG COUNT
import { createApp, toConfig } from "../../src/index.js";
import { longTagOf, tagOf, valueOf } from "./counters.js";
import { obey } from "./program-control.js";

const [config = "{}", count = "0"] = process.argv.slice(2);
const app = createApp(toConfig(JSON.parse(config)));
for (let index = 0; index < Number(count) / 2; index++) {
  const pair = app.store.pair("outbound", tagOf(index));
  for (const counter of [pair?.uplink, pair?.downlink]) counter?.add(valueOf(index));
}
obey((fillCount) => {
  for (let index = 0; index < fillCount / 2; index++) app.store.pair("outbound", longTagOf(index));
});
const { inbounds, api } = await app.start();
process.send?.({ socks: inbounds[0]?.address, api: api[0] });
