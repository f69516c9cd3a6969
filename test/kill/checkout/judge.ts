/** What the log of a session with a checkout says must be in its files, and what is in them. */
import type { SessionEvent } from "../../../src/core/events/index.ts";

/** Lines of the counter file, as far as a log knows. */
interface Expected {
  /** Runs whose receipts say that they happened. */
  readonly certain: readonly string[];
  /** Runs that have begun, and of which no receipt says how they ended. */
  readonly possible: ReadonlySet<string>;
}

const NOTHING: Expected = { certain: [], possible: new Set() };

/** Compares; says in words what does not fit. */
export function judgeFiles(events: readonly SessionEvent[], lines: readonly string[]): string[] {
  const { certain, possible } = expectedAfter(events);
  const problems = certain.flatMap((line) => {
    const count = lines.filter((candidate) => candidate === line).length;
    return count === 1 ? [] : [`${line} is in the files ${count} times, and the log says that it happened`];
  });
  const known = new Set(certain);
  for (const line of lines)
    if (!known.has(line) && !possible.has(line))
      problems.push(`${line} is in the files, and the log says that it is gone or never happened`);
  const seen = new Set<string>();
  for (const line of lines) {
    if (seen.has(line)) problems.push(`${line} happened twice`);
    seen.add(line);
  }
  return problems;
}

function expectedAfter(events: readonly SessionEvent[]): Expected {
  const lineOf = new Map<string, string>();
  const saved = new Map<number, Expected>([[0, NOTHING]]);
  let now: Expected = NOTHING;
  for (const event of events) {
    switch (event.type) {
      case "agent.tool_use": {
        const { command = "" } = event.body.input as { readonly command?: string };
        const line = /echo (\S+)/.exec(command)?.[1];
        if (line !== undefined) lineOf.set(event.body.call, line);
        break;
      }
      case "tool.started": {
        const line = lineOf.get(event.body.call);
        if (line !== undefined) now = { ...now, possible: new Set([...now.possible, line]) };
        break;
      }
      case "agent.tool_result": {
        const line = lineOf.get(event.body.call);
        if (line !== undefined && event.body.ending === "exited" && !event.body.in_doubt) {
          const possible = new Set([...now.possible].filter((other) => other !== line));
          now = { certain: [...now.certain, line], possible };
        }
        break;
      }
      case "checkpoint.created":
        saved.set(event.body.number, now);
        break;
      case "workspace.restored":
        now = saved.get(event.body.checkpoint) ?? NOTHING;
        break;
      default:
        break;
    }
  }
  return now;
}

/** Does the model get told of every run whose changes are gone? */
export function judgeWords(events: readonly SessionEvent[]): string[] {
  const unsaved = new Set<string>();
  const problems: string[] = [];
  for (const event of events) {
    if (event.type === "tool.started") unsaved.add(event.body.call);
    if (event.type === "checkpoint.created") unsaved.clear();
    if (event.type !== "workspace.restored") continue;
    const told = new Set(event.body.lost.map(({ call }) => call));
    for (const call of told) if (!unsaved.has(call)) problems.push(`${call} is told as gone, and was saved`);
    unsaved.clear();
  }
  return problems;
}
