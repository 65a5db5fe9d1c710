import {
  create,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { counterNamesOf, hundredth, tagOf } from "./counters.js";
import type { Call } from "./grpc-caller.js";

const { getStats, queryStats } = StatsService.method;

/** Asks for a counter that every server has. */
export const getOne = toCall(getStats, { name: counterNamesOf(tagOf(0))[0] });
/** The same counter, looked for. */
export const queryOne = toCall(queryStats, queryFor(counterNamesOf(tagOf(0))[0]));
export const queryAll = toCall(queryStats, {});
export const queryAndReset = toCall(queryStats, { reset: true });
export const queryBySubstring = toCall(queryStats, queryFor(hundredth.substring));
export const queryByRegexp = toCall(queryStats, queryFor(hundredth.regexp, true));
export const queryByGroup = toCall(queryStats, queryFor(hundredth.group, true));

interface PatternQuery {
  /** The one pattern; the list of them came with V2Ray 5, and expressions with it. */
  readonly pattern: string;
  readonly regexp: boolean;
}

export function queryFor(pattern: string, regexp = false): PatternQuery {
  return { pattern, regexp };
}

function toCall<I extends DescMessage, O extends DescMessage>(
  { parent, name, input }: DescMethodUnary<I, O>,
  message: MessageInitShape<I>,
): Call {
  const bytes = toBinary(input, create(input, message));
  return { path: `/${parent.typeName}/${name}`, message: Buffer.from(bytes).toString("base64") };
}
