/** `apply`: verified work is merged into what is checked out, after a last verdict on what comes of it. */
import { type Doubt, doubtOf, doubtText } from "../../core/contract/counting.ts";
import { NightshiftError } from "../../core/errors.ts";
import type { SessionState } from "../../core/state.ts";
import type { Verdict } from "../../referee/findings.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { retellWork } from "../../runtime/session-branch.ts";
import type { ChangedFile, Merge } from "../../workspace/contract.ts";
import { isAgreed } from "../ask.ts";
import { type CommandContext, commandLine, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { executedBy } from "../executing.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { formatQuantity } from "../render/format.ts";
import { singleLine } from "../render/text.ts";
import { OUTCOMES, sayVerdict, watch } from "../verdicts.ts";

/** Flags of `apply`. */
export interface ApplyFlags extends PlaceFlags {
  readonly dryRun?: boolean;
  readonly yes?: readonly string[];
  readonly json?: boolean;
}

const SHOWN_MAX = 30;

/** What one run of the command works with. */
interface Applying {
  readonly context: CommandContext;
  readonly harness: OpenHarness;
  readonly state: SessionState;
  readonly folder: string;
  readonly flags: ApplyFlags;
  readonly signal: AbortSignal;
  /** Why the newest verdict is not enough; null when it is. */
  readonly doubt: Doubt | null;
}

interface Verified {
  readonly source: string;
  readonly verdict: number;
  readonly doubt: Doubt | null;
}

/** Fast-forwards where that is enough; nothing of the user's is touched before every question is answered. */
export function apply(context: CommandContext, id: string | undefined, flags: ApplyFlags): Promise<number> {
  return withHarness(context, flags, async (harness, { workspace: folder }) => {
    using interruption = new Interruption();
    const { signal } = interruption;
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const { store, clock } = harness;
    const { source, verdict, doubt } = verifiedOf(state, { flags, now: clock.wallMs() });
    const workspaces = await harness.workspaces();
    const { commit } = await retellWork(workspaces, store, clock, sessionId, { source, verdict }, signal);
    const title = singleLine(state.config?.title ?? sessionId).slice(0, 60);
    const message = `Merge: ${title}\n\nNightshift-Session: ${sessionId}\nNightshift-Verdict: ${verdict}\n`;
    const request = { commit, folder, message, atMs: clock.wallMs() };
    const applying = { context, harness, state, folder, flags, signal, doubt };
    return await workspaces.merge(sessionId, request, (merge) => applyMerge(applying, merge), signal);
  });
}

/** What the newest verdict is about, if it is positive and counts, or would if no waiver were over. */
function verifiedOf(
  { sessionId, contract }: SessionState,
  { flags, now }: { readonly flags: ApplyFlags; readonly now: number },
): Verified {
  const given = contract?.given;
  const doubt = contract && doubtOf(contract, now);
  if (given?.outcome === "met" && (doubt === null || doubt.type === "waiver_over"))
    return { source: given.commit, verdict: given.number, doubt };
  const why =
    contract === null
      ? "it has no contract"
      : doubt !== null
        ? doubtText(doubt)
        : given == null
          ? "no verdict was given"
          : `verdict ${given.number} says ${given.outcome}`;
  const isResumable = doubt?.type === "amendment_waits" || doubt?.type === "amended";
  throw new NightshiftError("E_NOT_VERIFIED", `the work of ${sessionId} is not verified: ${why}`, {
    ...(isResumable && { hint: `Put it in force: ${commandLine(flags, "resume", sessionId)}` }),
  });
}

async function applyMerge(applying: Applying, merge: Merge): Promise<number> {
  const { state, flags } = applying;
  if (merge.kind === "conflict") throw conflict(state, merge);
  if (merge.kind === "up_to_date") {
    tell(applying, merge, "up_to_date");
    return EXIT.ok;
  }
  show(applying, merge);
  if (flags.dryRun === true) {
    tell(applying, merge, "dry_run");
    return EXIT.ok;
  }
  await ask(applying, merge);
  const outcome = await lastOutcome(applying, merge);
  if (outcome !== "met") return OUTCOMES[outcome];
  await merge.land();
  tell(applying, merge, "applied");
  return EXIT.ok;
}

/** Of a verdict on the merged files, unless the newest one is about them and is good enough. */
async function lastOutcome(applying: Applying, merge: Merge): Promise<Verdict["outcome"]> {
  const { context, harness, state, folder, signal, doubt } = applying;
  const { output } = context;
  if (doubt === null && merge.tree === (await verifiedTree(applying))) return "met";
  const { judgeMerge } = await import("../../runtime/judge-merge.ts");
  if (doubt !== null) output.note(doubtText(doubt));
  output.note("the checks run on the merged files ...");
  const verdict = await judgeMerge(harness, { state, merge, folder }, signal, watch(context));
  if (verdict.outcome !== "met") {
    sayVerdict(context, verdict);
    output.note("Nothing was changed.");
    if (doubt?.type === "waiver_over")
      for (const { criterion } of doubt.waivers) output.note(waiveAgain(applying, criterion));
  }
  return verdict.outcome;
}

function waiveAgain({ flags, state }: Applying, criterion: string): string {
  return `next: ${commandLine(flags, "waive", state.sessionId, criterion, "--reason", "...")}`;
}

/** The tree that the newest verdict is about. */
async function verifiedTree({ harness, state }: Applying): Promise<string> {
  const workspaces = await harness.workspaces();
  const commit = state.contract?.given?.commit ?? "";
  return await workspaces.treeOf(state.sessionId, commit, new AbortController().signal);
}

function conflict({ sessionId, branch }: SessionState, { conflicts }: Merge): NightshiftError {
  const shown = conflicts.slice(0, SHOWN_MAX).map(singleLine).join(", ");
  const more = conflicts.length > SHOWN_MAX ? ` and ${conflicts.length - SHOWN_MAX} more` : "";
  const name = branch?.published?.branch;
  const how = name === undefined ? `nightshift publish ${sessionId}, then git merge` : `git merge ${name}`;
  return new NightshiftError(
    "E_APPLY_CONFLICT",
    `both sides have changed ${shown}${more}; nothing was changed`,
    {
      hint: `Merge it yourself (${how}), then: nightshift verify ${sessionId} --commit HEAD`,
    },
  );
}

function show({ context, flags, state }: Applying, merge: Merge): void {
  if (flags.json === true) return;
  const { output } = context;
  const onto = `${merge.branch ?? "the detached head"} at ${merge.head.slice(0, 12)}`;
  const how = merge.kind === "merge" ? "is merged into" : "is put on top of";
  output.print(`${state.sessionId} ${how} ${onto}: ${formatQuantity(merge.changed.length, "file")}`);
  for (const { change, path, added, removed } of merge.changed.slice(0, SHOWN_MAX))
    output.print(`  ${change}  ${singleLine(path)}  +${added ?? "?"} -${removed ?? "?"}`);
  if (merge.changed.length > SHOWN_MAX)
    output.print(
      `  and ${merge.changed.length - SHOWN_MAX} more: ${commandLine(flags, "diff", state.sessionId, "--stat")}`,
    );
}

function executing(changed: readonly ChangedFile[]): { readonly path: string; readonly kind: string }[] {
  return changed.flatMap((file) => {
    const kind = executedBy(file);
    return kind === null ? [] : [{ path: file.path, kind }];
  });
}

/** The work is an agent's: what runs by itself once it is there is named, and somebody has to say yes. */
async function ask({ context, flags, signal }: Applying, merge: Merge): Promise<void> {
  const risky = executing(merge.changed);
  if (risky.length === 0) return;
  const { output } = context;
  output.note("These files may run on your machine:");
  for (const { path, kind } of risky.slice(0, SHOWN_MAX)) output.note(`  ${singleLine(path)} (${kind})`);
  if (risky.length > SHOWN_MAX) output.note(`  and ${risky.length - SHOWN_MAX} more`);
  if (flags.yes?.includes("executing") === true) return;
  if (await isAgreed(output, "apply them?", signal)) return;
  const named = risky.slice(0, 3).map(({ path }) => singleLine(path));
  const message = `nobody has said yes to ${named.join(", ")}${risky.length > 3 ? " and others" : ""}; nothing was changed`;
  throw new NightshiftError("E_APPLY_UNANSWERED", message, {
    hint: "Look at them with `nightshift diff`, then apply at a terminal, or with --yes executing.",
  });
}

function tell({ context, flags, state }: Applying, merge: Merge, result: string): void {
  const { output } = context;
  const { kind, head, commit, tree, branch, changed } = merge;
  if (flags.json === true) {
    const files = { changed, executing: executing(changed) };
    output.printJson({ session_id: state.sessionId, result, kind, branch, head, commit, tree, ...files });
    return;
  }
  const name = branch ?? "the detached head";
  if (result === "up_to_date") output.print(`${name} has this work already; nothing to do`);
  else if (result === "applied") output.print(`${name} is now ${commit.slice(0, 12)}`);
  else {
    for (const { path, kind: by } of executing(changed))
      output.print(`  may run on your machine: ${singleLine(path)} (${by})`);
    output.print(
      "nothing was changed (--dry-run); before it is, the checks run on the merged files if those are new",
    );
  }
}
