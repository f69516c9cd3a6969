/** `status`: where one session stands, or how the whole state folder does. */
import { existsSync } from "node:fs";
import { doubtOf, doubtText, waiverText } from "../../core/contract/counting.ts";
import { NightshiftError } from "../../core/errors.ts";
import { countOf } from "../../core/reduce/portions.ts";
import { nameOf } from "../../core/rules/model.ts";
import type { SessionState } from "../../core/state.ts";
import type { Settings } from "../../runtime/config.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { watchersOf } from "../../runtime/watchers.ts";
import type { SessionRecord } from "../../store/contract.ts";
import {
  type CommandContext,
  commandLine,
  findSession,
  type PlaceFlags,
  settingsFor,
  withHarness,
} from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatCost, formatCount, formatMoment, formatQuantity } from "../render/format.ts";
import { factLines, singleLine, truncate, wrap } from "../render/text.ts";
import { criteriaOf, problemsOf, resultOf, spentText, unlessDamaged } from "../session-facts.ts";
import { adviceOf, standingOf } from "../standing.ts";

/** Flags of `status`. */
export interface StatusFlags extends PlaceFlags {
  readonly json?: boolean;
}

const DUE_MAX = 10_000;

/** @param id - absent for the folder as a whole */
export async function status(
  context: CommandContext,
  id: string | undefined,
  flags: StatusFlags,
): Promise<number> {
  const { stateFolder } = await settingsFor(context, flags);
  // Only to look, nothing is made.
  if (id === undefined && !existsSync(stateFolder)) {
    if (flags.json === true)
      context.output.printJson({ state_folder: stateFolder, due: [], next_due_at: null, recent: [] });
    else context.output.print(`state    ${stateFolder} (nothing there yet)`);
    return EXIT.ok;
  }
  return withHarness(context, flags, async (harness, settings) => {
    if (id === undefined) await folderStatus(context, harness, { stateFolder, flags });
    else await sessionStatus(context, harness, { id, settings, flags });
    return EXIT.ok;
  });
}

async function folderStatus(
  context: CommandContext,
  harness: OpenHarness,
  where: { readonly stateFolder: string; readonly flags: StatusFlags },
): Promise<void> {
  const { output } = context;
  const { stateFolder, flags } = where;
  const now = harness.clock.wallMs();
  const { ready, nextDue } = await harness.store.listDue({ now, limit: DUE_MAX });
  const recent = await harness.store.listSessions({ limit: 5 });
  if (flags.json === true) {
    const sessions = recent.map(({ sessionId }) => sessionId);
    output.printJson({ state_folder: stateFolder, due: ready, next_due_at: nextDue, recent: sessions });
    return;
  }
  output.print(`state    ${stateFolder}`);
  if (recent.length === 0) output.print("no sessions yet");
  for (const record of recent) output.print(...(await recentLines(harness, record, now, output.width)));
  if (nextDue !== null) output.print(`next due ${formatMoment(nextDue, now)}`);
  if (ready.length > 0) {
    output.print(
      ready.length === 1
        ? "1 session is due, and nobody drives it"
        : `${formatCount(ready.length)} sessions are due, and nobody drives them`,
    );
  }
  const watchers = watchersOf(stateFolder, null, harness.owner);
  if (watchers.length > 0)
    output.note(`process ${watchers.map(({ owner }) => owner.pid).join(", ")} stays and drives what is due`);
  else if (ready.length > 0) output.note(`next: ${commandLine(flags, "resume", "--all")}`);
  else if (nextDue !== null) output.note(...nobodyWakes(flags));
}

async function recentLines(
  harness: OpenHarness,
  record: SessionRecord,
  now: number,
  width: number,
): Promise<string[]> {
  const { sessionId } = record;
  const text = await unlessDamaged(
    async () => standingOf(await loadState(harness.store, sessionId), record, now).text,
    ({ code }) => `damaged (${code}); nightshift fsck ${sessionId}`,
  );
  // Whole: what it waits for, or the command that helps, comes last.
  return wrap(`${sessionId}  ${singleLine(text)}`, width);
}

async function sessionStatus(
  context: CommandContext,
  harness: OpenHarness,
  asked: { readonly id: string; readonly settings: Settings; readonly flags: StatusFlags },
): Promise<void> {
  const { output } = context;
  const { id, settings, flags } = asked;
  const sessionId = await findSession(harness, id);
  const state = await loadState(harness.store, sessionId);
  const record = await harness.store.getSession(sessionId);
  if (record === undefined)
    throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${sessionId}`);
  const now = harness.clock.wallMs();
  const standing = standingOf(state, record, now);
  const { stateFolder } = settings;
  const watchers = watchersOf(stateFolder, sessionId, harness.owner).map(({ owner }) => owner.pid);
  if (flags.json === true) {
    output.printJson({
      ...(await resultOf(harness, state)),
      standing: standing.word,
      driver: record.held ? record.owner : null,
      watcher_pids: watchers,
      due_at: record.due,
      hold: state.hold,
      queued_messages: countOf(state.queue),
      workspace: state.config?.sandbox.workspace ?? null,
      checkpoint: state.workspace === null ? null : { ...state.workspace.saved },
      unsaved_runs: state.workspace?.unsaved ?? null,
      model: modelOf(state),
      judge: state.contract === null ? null : judgeOf(state),
      head: `${record.seq}:${record.hash}`,
    });
    return;
  }
  const problems = await problemsOf(harness.store, state);
  const why = problems.flatMap(({ code, message }) =>
    factLines("problem", `${code}: ${message}`, output.width),
  );
  output.print(...sessionLines(state, record, now, output.width), ...why);
  const advice = adviceOf(state.stopReason);
  if (advice !== null) output.note(...wrap(`advice: ${advice}`, output.width));
  if (watchers.length > 0) output.note(`process ${watchers.join(", ")} stays for what comes next`);
  else if (record.due !== null && !record.held) output.note(...nobodyWakes(flags));
  if (standing.next !== null) output.note(`next: ${commandLine(flags, ...standing.next)}`);
}

/** What waits for a time needs a process that lives then. */
function nobodyWakes(flags: PlaceFlags): string[] {
  return [
    `nobody is there to wake it: ${commandLine(flags, "resume", "--all", "--stay")}`,
    `  or a service that does: ${commandLine(flags, "doctor", "--install-service")}`,
  ];
}

function sessionLines(state: SessionState, record: SessionRecord, now: number, width: number): string[] {
  const { config, sandbox, ledger } = state;
  const facts: (readonly [label: string, text: string])[] = [
    ["session", record.sessionId],
    ["title", truncate(singleLine(config?.title ?? ""), width - 9)],
    ["stands", standingOf(state, record, now).text],
    ["model", modelOf(state)],
    [
      "judge",
      state.contract?.contract.criteria.some(({ rubric }) => rubric.length > 0) ? judgeOf(state) : "",
    ],
    ["folder", config?.sandbox.workspace ?? ""],
    ...contractFacts(state, now),
    ["spent", spentText(state)],
    ["caps", capsText(state)],
    ["queue", countOf(state.queue) === 0 ? "" : formatQuantity(countOf(state.queue), "message")],
    ...openCalls(state),
    ["sandbox", sandbox === null ? "" : `${sandbox.backend}, ${sandbox.status}`],
    ["files", filesText(state)],
    ["cached", ledger.cacheReadTokens === 0 ? "" : `${formatCount(ledger.cacheReadTokens)} tokens read`],
    ["last", `event ${record.seq} at ${formatMoment(record.updatedAt, now)}, epoch ${record.epoch}`],
  ];
  const lines = facts.flatMap(([label, text]) => (text === "" ? [] : factLines(label, text, width)));
  return [...lines, `head     ${record.seq}:${record.hash}`];
}

function contractFacts({ contract }: SessionState, now: number): (readonly [label: string, text: string])[] {
  if (contract === null) return [];
  const { given, verdicts } = contract;
  const cap = contract.contract.limits.verdicts;
  const doubt = doubtOf(contract, now);
  const verdict = given === null ? "none yet" : `${given.number}: ${given.outcome}`;
  return [
    ...criteriaOf(contract).map(
      ({ criterion, status: how, description }, index) =>
        [index === 0 ? "criteria" : "", `${criterion}: ${how} | ${singleLine(description)}`] as const,
    ),
    ["verdict", `${verdict} (${verdicts} of ${cap} asked for)`],
    ["", doubt === null ? "" : doubtText(doubt)],
    ...contract.denials.map(
      ({ criterion, status: said, author, reason }) =>
        ["denied", `that ${criterion} is ${said}, by ${author}: ${reason}`] as const,
    ),
    ...contract.waivers.map(
      (waiver) => ["waived", `${waiverText(waiver)}${waiver.expiresAt <= now ? ": over" : ""}`] as const,
    ),
  ];
}

function filesText({ workspace }: SessionState): string {
  if (workspace === null) return "";
  const { saved, unsaved, making } = workspace;
  const place = saved.number === 0 ? "base" : `checkpoint ${saved.number}`;
  const since = unsaved === 0 ? "" : `, ${formatQuantity(unsaved, "run")} since`;
  return `${place} (${saved.commit.slice(0, 12)})${making === null ? since : ", being saved"}`;
}

function openCalls(state: SessionState): (readonly [label: string, text: string])[] {
  const open = state.calls.filter((call) => call.status !== "answered");
  return open.map((call) => ["call", `${call.call} ${call.name}: ${call.status.replace("_", " ")}`]);
}

function modelOf(state: SessionState): string {
  const model = state.config?.agent.model;
  return model === undefined ? "" : `${model.provider}:${model.id}`;
}

function judgeOf(state: SessionState): string {
  const { judge, further_judges = [] } = state.config ?? {};
  return judge === undefined ? modelOf(state) : [judge, ...further_judges].map(nameOf).join(", ");
}

function capsText(state: SessionState): string {
  const { model_requests, tokens, cost_micro_usd } = state.config?.limits ?? {};
  return [
    model_requests === undefined ? "" : formatQuantity(model_requests, "request"),
    tokens === undefined ? "" : `${formatCount(tokens)} tokens`,
    cost_micro_usd === undefined ? "" : formatCost(cost_micro_usd),
  ]
    .filter((text) => text !== "")
    .join(", ");
}
