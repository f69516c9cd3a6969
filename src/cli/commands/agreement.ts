/** `amend`, `waive`, and what `approve` and `deny` say of things to look at: a person's part of a contract. */
import { contractHash } from "../../core/contract/contract.ts";
import { NightshiftError } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import { type CommandContext, findSession, settingsFor, withHarness } from "../context.ts";
import type { ContractFlags } from "../contract-choice.ts";
import { openReview } from "../inbox-items.ts";
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

/** `amend <id> --check … --reason …`: another contract in the place of the sealed one. */
export async function amend(context: CommandContext, id: string, flags: AmendFlags): Promise<number> {
  const { reason } = flags;
  if (reason === undefined) throw reasonMissing("amend");
  const { contractOf } = await import("../contract-choice.ts");
  const settings = await settingsFor(context, flags);
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const old = agreementOf(await loadState(harness.store, sessionId)).contract;
    const agreed = await contractOf(flags, old.goal, settings);
    if (agreed === undefined)
      throw new NightshiftError("E_USAGE", "nothing says what is to be met from now on", {
        hint: "Pass --contract with the whole new contract, or --check.",
      });
    const { contract } = agreed;
    const body = { contract, hash: contractHash(contract), reason, author: personOf(context, flags.author) };
    return await submit(context, sessionId, flags, {
      events: [event("control.amend_contract", body)],
      done: "amendment noted",
    });
  });
}

/** `waive <id> <criterion> --reason …`: not asked for, for a while; then asks for a verdict. */
export async function waive(
  context: CommandContext,
  id: string,
  criterion: string,
  flags: WaiveFlags,
): Promise<number> {
  const { reason } = flags;
  if (reason === undefined) throw reasonMissing("waive");
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

/** `approve <id> <what>` and `deny <id> <what>`: a call, a layer, or what a verdict asks about; `all` for all of that. */
export async function answer(
  context: CommandContext,
  id: string,
  what: string,
  flags: SendFlags & { readonly result: "allow" | "deny" },
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const meant = openReview(state).filter(
      ({ item, path }) => what === "all" || what === item || what === path,
    );
    if (meant.length === 0) return await confirm(context, sessionId, what, flags);
    const author = personOf(context, undefined);
    const result = flags.result === "allow" ? "approve" : "deny";
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    const events = meant.map(({ item, hash }) =>
      event("approval.decided", { item, hash, result, author, ...reason }),
    );
    return await submit(context, sessionId, flags, { events, done: `${flags.result} noted` });
  });
}

function agreementOf({ contract, sessionId }: SessionState): NonNullable<SessionState["contract"]> {
  if (contract !== null) return contract;
  throw new NightshiftError("E_USAGE", `${sessionId} has no contract`, {
    hint: "A session gets one when it is made: nightshift run --check ...",
  });
}

function reasonMissing(command: string): NightshiftError {
  return new NightshiftError("E_USAGE", `${command} needs --reason`, { hint: "The report lists it." });
}
