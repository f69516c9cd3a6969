/** Writes a handoff: facts from log and git; of the model's words only what no log could tell. Pure. */
import { nextTarget, statusOf } from "../attempt/target.ts";
import { commandText } from "../contract/tell.ts";
import { plainText } from "../text.ts";
import { corrections } from "./probe.ts";
import { rejectedContents } from "./rejected.ts";
import { handoffText } from "./render.ts";
import { bounded, type Handoff, type HandoffNote, type HandoffSources } from "./sources.ts";

const DECISIONS_MAX = 200;
const TRIED_MAX = 200;
const PATHS_MAX = 200;
const IN_FLIGHT_MAX = 5;
const OUTPUT_LENGTH = 1500;
const REASON_LENGTH = 1000;

/** @param number - as it was asked for */
export function writeHandoff(number: number, attempt: number | null, sources: HandoffSources): Handoff {
  const { state, notes } = sources;
  const note = freshNote(sources);
  const facts = {
    number,
    attempt,
    source: note === null ? ("log" as const) : ("model" as const),
    goal: goalOf(sources),
    constraints: [...(state.contract?.contract.constraints ?? [])],
    criteria: criteriaOf(sources),
    frontier: {
      last_verified: lastVerified(sources),
      in_flight: inFlightOf(sources),
      next_step: note?.next_step ?? nextStepOf(sources),
    },
    decisions: distinct(notes.flatMap(({ body }) => body.decisions)).slice(-DECISIONS_MAX),
    tried_and_failed: triedOf(notes.map(({ body }) => body)),
    people: sources.people.map(({ seq, body }) => ({
      seq,
      text: body.content.map(({ text }) => plainText(text)).join("\n"),
    })),
    how_to_run: howToRun(sources),
    files: filesOf(sources),
    last_failure: failureOf(sources),
    notes: note?.notes ?? "",
    rejected: [...rejectedContents(sources)],
  };
  const draft = { ...facts, corrections: note === null ? [] : [...corrections(note, facts)] };
  return { ...draft, content: [{ type: "text", text: handoffText(draft) }] };
}

/** What the model has said since the handoff before this one. */
function freshNote({ notes, state }: HandoffSources): HandoffNote | null {
  const last = notes.at(-1);
  return last === undefined || last.seq <= (state.attempts.handoff?.seq ?? 0) ? null : last.body;
}

/** Under a contract it is the contract's; else what a person said first. */
function goalOf({ state, people }: HandoffSources): string {
  const [first] = people;
  const said = first === undefined ? "" : first.body.content.map(({ text }) => plainText(text)).join("\n");
  return state.contract?.contract.goal ?? (said.trim() === "" ? "What people asked for." : said);
}

function criteriaOf({ state, at, verdicts }: HandoffSources): Handoff["criteria"] {
  const given = verdicts.at(-1)?.body.criteria ?? [];
  return (state.contract?.contract.criteria ?? []).map(({ id }) => {
    const reason = given.find(({ criterion }) => criterion === id)?.reason ?? "no verdict yet";
    return { criterion: id, status: statusOf(state, id, at), reason: bounded(reason, REASON_LENGTH) };
  });
}

function lastVerified({ state, verdicts }: HandoffSources): Handoff["frontier"]["last_verified"] {
  const { best } = state.attempts.progress;
  const verdict = verdicts.findLast(({ body }) => body.commit === best?.commit);
  return verdict === undefined ? null : { verdict: verdict.body.number, commit: verdict.body.commit };
}

function inFlightOf({ calls, results }: HandoffSources): string[] {
  return calls.slice(-IN_FLIGHT_MAX).map(({ body }) => {
    const result = results.find((each) => each.body.call === body.call)?.body;
    const outcome =
      result === undefined
        ? "no result yet"
        : result.is_error
          ? "failed"
          : result.exit_code === null || result.exit_code === 0
            ? "done"
            : `exit status ${result.exit_code}`;
    return bounded(`${body.name} ${bounded(JSON.stringify(body.input), 200)}: ${outcome}`, 300);
  });
}

/** The model has said nothing, so the log says what is next. */
function nextStepOf({ state, at, verdicts }: HandoffSources): string {
  const target = nextTarget(state, at);
  const criterion = state.contract?.contract.criteria.find(({ id }) => id === target);
  if (criterion === undefined) return "Look at the files as they are, then go on with what people asked for.";
  const found = verdicts.at(-1)?.body.criteria.find((each) => each.criterion === target);
  const check =
    criterion.check === null ? "Look at what it asks for" : `Run \`${commandText(criterion.check)}\``;
  const reason = found?.status === "unmet" ? ` The last verdict says: ${bounded(found.reason, 500)}` : "";
  return bounded(
    `${check} and mend the first thing that keeps \`${criterion.id}\` from being met.${reason}`,
    2000,
  );
}

function triedOf(notes: readonly HandoffNote[]): Handoff["tried_and_failed"] {
  const byApproach = new Map(
    notes.flatMap(({ tried_and_failed }) => tried_and_failed.map((each) => [each.approach, each] as const)),
  );
  return [...byApproach.values()].slice(-TRIED_MAX);
}

function howToRun({ state: { contract, config } }: HandoffSources): Handoff["how_to_run"] {
  const checks = (contract?.contract.criteria ?? []).flatMap(({ id, check }) =>
    check === null ? [] : [{ criterion: id, command: bounded(commandText(check), 4000) }],
  );
  const setup = contract?.contract.setup ?? config?.sandbox.options.setup ?? [];
  const words = Array.isArray(setup) ? setup.map(String) : [];
  return { checks, setup: bounded(words.join(" "), 4000) };
}

function filesOf({ state: { workspace, config }, changed }: HandoffSources): Handoff["files"] {
  return {
    base: config?.sandbox.checkout?.base ?? null,
    commit: workspace?.saved.commit ?? null,
    checkpoint: workspace?.saved.number ?? 0,
    changed: (changed ?? []).slice(0, PATHS_MAX).map((path) => bounded(path, 4096)),
    changed_count: changed?.length ?? 0,
  };
}

function failureOf({ failure }: HandoffSources): Handoff["last_failure"] {
  if (failure === null) return null;
  const { criterion, run, pass } = failure.body;
  // Of files that the agent never sees, it is told nothing either.
  const output = pass === "H" ? "" : plainText(run.output).slice(-OUTPUT_LENGTH);
  return { criterion, output };
}

function distinct(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}
