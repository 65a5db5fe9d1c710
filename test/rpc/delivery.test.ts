import { describeDelivery } from "../contract/delivery-suite.js";

describeDelivery({ under: "", toPort: (port) => port, roundCount: 40 });
