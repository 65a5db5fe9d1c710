import { createApiMeasures } from "./api-measures.js";
import type { Measure } from "./measure.js";
import { createProxyMeasures } from "./proxy-measures.js";
import { createStartMeasure } from "./start-measure.js";
import { createStateMeasures } from "./state-measures.js";

/** All there are. @param scale - How much of each load: 0.1 is a tenth. Default: all of it. */
export function createMeasures(scale = 1): readonly Measure[] {
  return [
    ...createProxyMeasures(scale),
    ...createApiMeasures(scale),
    ...createStateMeasures(scale),
    createStartMeasure(),
  ];
}
