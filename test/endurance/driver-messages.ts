import type { Endpoint } from "../../src/net/endpoint.js";
import type { ProcessReport } from "./process-report.js";

/** What the process of a proxy is asked. */
export interface Question {
  readonly ask:
    | { readonly kind: "report"; readonly afterCollection: boolean }
    /** To close the connections of clients at these ports. */
    | { readonly kind: "close"; readonly sourcePorts: readonly number[] }
    /** To stop the proxy, and to let its process end if nothing is left that keeps it. */
    | { readonly kind: "stop" };
}

/** What it says: where it listens when it has started, then an answer to each question, in order; to `stop` none. */
export type Answer =
  | { readonly kind: "started"; readonly endpoint: Endpoint | undefined }
  | { readonly kind: "report"; readonly report: ProcessReport }
  | { readonly kind: "closed"; readonly count: number };
