/** `amend`, `waive`, and what `approve` and `deny` say of things to look at: a person's part of a contract. */
import { contractHash } from "../../core/contract/contract.ts";
import { declarationHash, declarationItem } from "../../core/contract/declaration.ts";
import type { ContractState, Declaration, ReviewItem } from "../../core/contract/state.ts";
import { hasSpentVerdicts } from "../../core/contract/verdict-cap.ts";
import { weakenings } from "../../core/contract/weakenings.ts";
import { NightshiftError } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import { type CommandContext, findSession, settingsFor, withHarness } from "../context.ts";
import type { ContractFlags } from "../contract-choice.ts";
import { folderOf } from "../inbox-groups.ts";
import { openReview } from "../inbox-items.ts";
import { askedOf } from "../render/asked.ts";
import { confirm, personOf, type SendFlags, submit } from "./send.ts";

const DAY_MS = 86_400_000;
/** A waiver is for a while; nobody remembers one for ever. */
const WAIVER_STANDARD_MS = 7 * DAY_MS;

/** Flags of `amend`. */
export interface AmendFlags extends SendFlags, ContractFlags {
  readonly author?: string;
}

/** Flags of `waive`. */
export interface WaiveFlags extends SendFlags {
  readonly owner?: string;
  /** Milliseconds. */
  readonly for?: number;
}

/** `amend <id> --check … --reason …`: the sealed contract with what the flags name replaced. */
export async function amend(context: CommandContext, id: string, flags: AmendFlags): Promise<number> {
  const reason = reasonOf("amend", flags);
  const { contractAmendedBy } = await import("../contract-choice.ts");
  const settings = await settingsFor(context, flags);
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const agreement = agreementOf(await loadState(harness.store, sessionId));
    // What was asked for and is not in force yet is kept, too.
    const old = agreement.amendment?.contract ?? agreement.contract;
    const { contract, remarks } = await contractAmendedBy(flags, old, settings);
    const body = { contract, hash: contractHash(contract), reason, author: personOf(context, flags.author) };
    const weaker = weakenings(agreement.contract, contract);
    const said = [...remarks, ...capRemarks({ ...agreement, contract })];
    return await submit(context, sessionId, flags, {
      events: [event("control.amend_contract", body)],
      done: "amendment noted",
      facts: { contract_hash: body.hash, weaker, remarks: said },
      lines: [
        `asks for ${contract.criteria.map(({ id }) => id).join(", ")}`,
        ...weaker.map((line) => `weaker: ${line}`),
        ...said.map((line) => `note: ${line}`),
      ],
    });
  });
}

function capRemarks(agreement: ContractState): string[] {
  if (!hasSpentVerdicts(agreement)) return [];
  const { verdicts } = agreement.contract.limits;
  return [`the cap on verdicts (${verdicts}) is reached, so work stops before the next one: --max-verdicts`];
}

/** `waive <id> <criterion> --reason …`: not asked for, for a while; then asks for a verdict. */
export async function waive(
  context: CommandContext,
  id: string,
  criterion: string,
  flags: WaiveFlags,
): Promise<number> {
  const reason = reasonOf("waive", flags);
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const { contract } = agreementOf(await loadState(harness.store, sessionId));
    const ids = contract.criteria.map((each) => each.id);
    if (!ids.includes(criterion))
      throw new NightshiftError("E_USAGE", `there is no criterion ${criterion}; there are ${ids.join(", ")}`);
    const expires_at = harness.clock.wallMs() + (flags.for ?? WAIVER_STANDARD_MS);
    const owner = personOf(context, flags.owner);
    return await submit(context, sessionId, flags, {
      events: [
        event("control.waive", { criterion, reason, owner, expires_at }),
        event("control.request_verdict", {}),
      ],
      done: `${criterion} is waived`,
    });
  });
}

/**
 * `approve <id> <what>` and `deny <id> <what>`: a call, a layer, or what a verdict asks about: one, several, a folder's, or
 * `all`; and `deny <id> <criterion>`: what the agent has declared of it.
 */
export async function answer(
  context: CommandContext,
  id: string,
  names: readonly string[],
  flags: SendFlags & { readonly result: "allow" | "deny" },
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const [what = ""] = names;
    const meant = changesNamed(state, names);
    const declared = meant.length === 0 ? declarationNamed(state, what) : undefined;
    if (meant.length === 0 && declared === undefined) return await confirm(context, sessionId, what, flags);
    if (declared !== undefined && flags.reason === undefined && flags.result === "deny")
      throw reasonMissing("deny", "The agent is told, and the report lists it.");
    const author = personOf(context, undefined);
    const result = flags.result === "allow" ? "approve" : "deny";
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    const named = declared === undefined ? meant : [decidable(declared)];
    const events = named.map((each) => event("approval.decided", { ...each, result, author, ...reason }));
    const done =
      declared === undefined ? `${flags.result} noted` : `${declared.criterion} is asked for again`;
    return await submit(context, sessionId, flags, { events, done });
  });
}

/** @throws NightshiftError `E_USAGE` when one of several names is none of a change that waits */
function changesNamed(state: SessionState, names: readonly string[]): readonly ReviewItem[] {
  const open = openReview(state);
  const isMeant = (what: string, { item, path }: ReviewItem): boolean =>
    what === "all" || what === item || what === path || (what.endsWith("/") && what === folderOf(path));
  const stranger = names.find((what) => !open.some((each) => isMeant(what, each)));
  if (stranger !== undefined && names.length > 1)
    throw new NightshiftError(
      "E_USAGE",
      `${state.sessionId} asks about no change that is called ${stranger}`,
      {
        hint: "Several are answered at once only where all of them are changes that `nightshift inbox` lists.",
      },
    );
  return open.filter((each) => names.some((what) => isMeant(what, each)));
}

/** A call that waits comes first, should it be called as a criterion is. */
function declarationNamed({ contract, stopReason }: SessionState, what: string): Declaration | undefined {
  if (askedOf(stopReason).includes(what)) return undefined;
  return contract?.declared.find(
    ({ criterion }) => what === criterion || what === declarationItem(criterion),
  );
}

function decidable(declaration: Declaration): { readonly item: string; readonly hash: string } {
  return { item: declarationItem(declaration.criterion), hash: declarationHash(declaration) };
}

function agreementOf({ contract, sessionId }: SessionState): NonNullable<SessionState["contract"]> {
  if (contract !== null) return contract;
  throw new NightshiftError("E_USAGE", `${sessionId} has no contract`, {
    hint: "A session gets one when it is made: nightshift run --check ...",
  });
}

function reasonOf(command: string, { reason }: SendFlags): string {
  if (reason === undefined || reason.trim() === "") throw reasonMissing(command);
  return reason;
}

function reasonMissing(command: string, hint = "The report lists it."): NightshiftError {
  return new NightshiftError("E_USAGE", `${command} needs --reason`, { hint });
}
