/** Whether the newest verdict counts now, and what it leans on: for people, and for whoever wants to use the work. */
import { oneLine } from "../text.ts";
import type { ContractState, Waiver } from "./state.ts";

/** A waiver as it is told. */
export type ToldWaiver = Omit<Waiver, "seq">;

/** Why no verdict on the contract counts now, or why the newest one, a positive one, no longer does. */
export type Doubt =
  | { readonly type: "amendment_waits"; readonly author: string; readonly reason: string }
  | { readonly type: "amended" }
  | { readonly type: "waiver_over"; readonly waivers: readonly ToldWaiver[] };

const REASON_LENGTH_MAX = 200;
/** The last moment that a date can stand for. */
const DATE_MAX_MS = 8.64e15;

/** Null when the newest verdict counts, whatever it says, and when there is none. @param at - wall-clock time */
export function doubtOf(contract: ContractState, at: number): Doubt | null {
  const { given, amendment, hash } = contract;
  if (amendment !== null)
    return { type: "amendment_waits", author: amendment.author, reason: amendment.reason };
  if (given?.outcome !== "met") return null;
  if (given.contractHash !== hash) return { type: "amended" };
  const over = waiversOf(contract).filter(({ expiresAt }) => expiresAt <= at);
  return over.length === 0 ? null : { type: "waiver_over", waivers: over };
}

/** `the waiver of net (by somebody until …: …) is over`. */
export function doubtText(doubt: Doubt): string {
  switch (doubt.type) {
    case "amendment_waits":
      return `an amendment waits (by ${oneLine(doubt.author)}: ${oneLine(doubt.reason).slice(0, REASON_LENGTH_MAX)}), and no verdict counts until it is resumed`;
    case "amended":
      return "its contract was amended since";
    case "waiver_over":
      return `over: the waiver of ${doubt.waivers.map(waiverText).join(", ")}`;
  }
}

/** What the newest verdict has not asked for, as it is waived now. */
export function waiversOf({ given, waivers }: Pick<ContractState, "given" | "waivers">): readonly Waiver[] {
  const isWaived = (id: string): boolean =>
    given?.criteria.some(({ criterion, status }) => criterion === id && status === "waived") ?? false;
  return waivers.filter(({ criterion }) => isWaived(criterion));
}

/** `every criterion is met`, and which were not asked for. */
export function metText(waivers: readonly ToldWaiver[]): string {
  const told = waivers.map(waiverText).join(", ");
  return `every criterion is met${told === "" ? "" : ` but those waived: ${told}`}`;
}

/** `net (by somebody until 2026-12-01 10:00 UTC: not reachable here)`, the same on every machine. */
export function waiverText({ criterion, ...waiver }: ToldWaiver): string {
  return `${criterion} (${waiverTerms(waiver)})`;
}

/** `by somebody until 2026-12-01 10:00 UTC: not reachable here`. */
export function waiverTerms({ owner, reason, expiresAt }: Omit<ToldWaiver, "criterion">): string {
  const until = `${new Date(Math.min(expiresAt, DATE_MAX_MS)).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `by ${oneLine(owner)} until ${until}: ${oneLine(reason).slice(0, REASON_LENGTH_MAX)}`;
}
