/** Sources that put another clock in the place of the one that tests measure by, and tests that measure. */
import { Source, visit } from "./syntax.ts";

const SCRIPT_CLOCK = "(?:Date|performance|Performance(?: \\. prototype)?|process \\. hrtime)";
const GLOBAL = "(?:globalThis|global|window|self)";
/** As texts are after normalising: tokens with a space between. */
const TARGETS: readonly RegExp[] = [
  new RegExp(`^(?:${GLOBAL} \\. )?${SCRIPT_CLOCK}(?: \\.| \\[|$)`),
  new RegExp(`^(?:${GLOBAL} \\. )?process \\[ ["']hrtime`),
  new RegExp(`^${GLOBAL} \\[ ["'](?:Date|performance|process)`),
  /^time \. (?:time|perf_counter|monotonic|process_time|thread_time)(?:_ns)?$/,
  /^datetime \. datetime$/,
  /^sys \. modules \[ ["'](?:time|datetime)/,
];
const CALLS: readonly RegExp[] = [
  new RegExp(
    `^(?:Object|Reflect) \\. (?:defineProperty|defineProperties|assign|set) \\( (?:${GLOBAL} \\. )?${SCRIPT_CLOCK} ,`,
  ),
  new RegExp(
    `^(?:Object|Reflect) \\. (?:defineProperty|defineProperties|assign|set) \\( (?:${GLOBAL}|process) , .{0,20}\\b(?:Date|performance|hrtime)\\b`,
  ),
  /^setattr \( (?:time|datetime) ,/,
];
const ASSIGNED = /^(?:AssignmentExpression|AssignStatement)$/;
const CALLED = /^CallExpression$/;
const BEGINS = /^(?:Object|Reflect|setattr)\b/;
const BEGIN_LENGTH = 10;
const TEXT_LENGTH_MAX = 200;

const READ =
  "(?:performance\\.now|Date\\.now|process\\.hrtime(?:\\.bigint)?|(?:time\\.)?(?:perf_counter|monotonic)(?:_ns)?|time\\.time(?:_ns)?)";
const MEASURES = new RegExp(`\\b${READ}\\(\\)\\s*-|\\bprocess\\.hrtime\\(\\w`);

/** What a source puts another clock in the place of, as it is written. */
export function replacedClocksIn(path: string, text: string): readonly string[] {
  const source = Source.parse(path, text);
  if (source === undefined) return [];
  const found: string[] = [];
  visit(source.tree.topNode, ({ name, node }) => {
    const isAssigned = ASSIGNED.test(name);
    // Calls within calls are many, so only what begins like one of these is looked at.
    if (!isAssigned && !(CALLED.test(name) && BEGINS.test(source.slice(node).slice(0, BEGIN_LENGTH))))
      return true;
    const part = isAssigned ? node.firstChild : node;
    const written = part === null ? "" : source.normalised(part).slice(0, TEXT_LENGTH_MAX);
    if ((isAssigned ? TARGETS : CALLS).some((pattern) => pattern.test(written)))
      found.push(written.replace(/ ([.[\]()]) ?/g, "$1").replace(/ ?,.*$/, ""));
    return true;
  });
  return found;
}

/** Does a test hold a span of time against something? */
export function measuresTime(text: string): boolean {
  return MEASURES.test(text);
}
