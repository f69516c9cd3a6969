/** `budget`: the ledger of a session against its caps, and the way to change them. */
import { dayOf } from "../../core/budget/day.ts";
import { NightshiftError } from "../../core/errors.ts";
import { type ClientEventInput, event } from "../../core/events/index.ts";
import { criteriaSpending } from "../../core/reduce/budget.ts";
import { BREAKERS } from "../../core/rules/breakers.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { breakersOf, type CapFlags, limitsOf } from "../budget-flags.ts";
import { type CapRow, capRows } from "../cap-rows.ts";
import { type CommandContext, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatQuantity } from "../render/format.ts";
import { snakeKeys } from "../render/json-keys.ts";
import { capAmount, capName } from "../render/spending.ts";
import { factLines } from "../render/text.ts";
import { spentText } from "../session-facts.ts";
import { submit } from "./send.ts";

/** Flags of `budget`. */
export interface BudgetFlags extends PlaceFlags, CapFlags {
  readonly json?: boolean;
}

/** Shows the ledger without flags, and changes caps with them. */
export async function budget(
  context: CommandContext,
  id: string | undefined,
  flags: BudgetFlags,
): Promise<number> {
  const changes = capChanges(flags);
  if (changes === null) return show(context, id, flags);
  if (id === undefined)
    throw new NightshiftError("E_USAGE", "to change caps, name the session", {
      hint: "nightshift list shows the sessions.",
    });
  const { limits = {} } = changes.body;
  return submit(context, id, flags, {
    events: [changes],
    done: "caps changed",
    check: (state) => checkPrice(state, limits),
  });
}

/** What flags change; null for nothing. `resume` takes the same flags. */
export function capChanges(
  flags: CapFlags,
): Extract<ClientEventInput, { type: "control.set_limits" }> | null {
  const limits = limitsOf(flags);
  const breakers = breakersOf(flags);
  if (Object.keys(limits).length === 0 && breakers === undefined) return null;
  return event("control.set_limits", { limits, ...(breakers !== undefined && { breakers }) });
}

/** @throws NightshiftError `E_CONFIG` for a cap in money where nobody knows what anything costs */
export function checkPrice({ config }: SessionState, limits: ReturnType<typeof limitsOf>): void {
  const caps = [limits, limits.attempt, limits.criterion];
  const isMoney = caps.some((each) => each?.cost_micro_usd !== undefined);
  if (isMoney && config?.agent.model.price === undefined)
    throw new NightshiftError("E_CONFIG", "a cap in money needs a price, and this session has none", {
      hint: "Cap tokens (--max-tokens) or requests (--max-requests) instead.",
    });
}

function show(context: CommandContext, id: string | undefined, flags: BudgetFlags): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const state = await loadState(harness.store, await findSession(harness, id));
    const rows = [...capRows(state, harness.clock.wallMs()), ...(await dayRows(harness))];
    if (flags.json === true) context.output.printJson(asJson(state, rows));
    else context.output.print(...lines(state, rows, context.output.width));
    return EXIT.ok;
  });
}

/** Of all sessions together, where that is capped. */
async function dayRows({ store, clock, dayCaps }: OpenHarness): Promise<CapRow[]> {
  const limit = dayCaps?.cost_micro_usd;
  if (limit === undefined) return [];
  const { costMicroUsd } = await store.getDaySpending(dayOf(clock.wallMs()));
  return [{ cap: "day.cost_micro_usd", used: costMicroUsd, limit }];
}

function lines(state: SessionState, rows: readonly CapRow[], width: number): string[] {
  const shown = rows.filter(({ used, limit }) => limit !== null || used > 0);
  const caps = shown.map(({ cap, used, limit }) => {
    const most = limit === null ? "no cap" : `of ${capAmount(cap, limit)}`;
    return `${capName(cap)}: ${capAmount(cap, used)} ${most}`;
  });
  // What nobody knows the price of has cost nothing that could be said.
  const isPriced = state.config?.agent.model.price !== undefined;
  const criteria = criteriaSpending(state).map(
    ({ criterion, attempts, requests, costMicroUsd }) =>
      `${criterion}: ${formatQuantity(attempts, "attempt")}, ${formatQuantity(requests, "request")}${isPriced ? `, ${capAmount("cost_micro_usd", costMicroUsd)}` : ""}`,
  );
  const breakers = breakerRows(state).map(({ breaker, limit }) => `${breaker} ${limit}`);
  return [
    ["session", state.sessionId] as const,
    ["spent", spentText(state)] as const,
    ...caps.map((text, index) => [index === 0 ? "caps" : "", text] as const),
    ...criteria.map((text, index) => [index === 0 ? "criteria" : "", text] as const),
    ["breakers", breakers.join(", ")] as const,
  ].flatMap(([label, text]) => factLines(label, text, width));
}

function breakerRows(state: SessionState): { readonly breaker: string; readonly limit: number | "off" }[] {
  const set = state.config?.policy.breakers ?? {};
  return BREAKERS.map(({ cause, limit }) => ({
    breaker: cause.replaceAll("_", "-"),
    limit: set[cause] ?? limit,
  }));
}

function asJson(state: SessionState, rows: readonly CapRow[]): { readonly [field: string]: unknown } {
  const { ledger } = state;
  return {
    session_id: state.sessionId,
    caps: rows,
    unsettled: {
      requests: ledger.unsettledRequests,
      tokens: ledger.unsettledTokens,
      cost_micro_usd: ledger.unsettledCostMicroUsd,
    },
    judge: { requests: ledger.judgeRequests, cost_micro_usd: ledger.judgeCostMicroUsd },
    criteria: snakeKeys(criteriaSpending(state)),
    breakers: breakerRows(state),
  };
}
