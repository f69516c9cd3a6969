/** The cap on what all sessions of a state folder cost in a day: how it is given on, and whether it can be kept. */
import { NightshiftError } from "../core/errors.ts";
import type { Settings } from "../runtime/config.ts";
import type { OpenOptions } from "../runtime/open.ts";
import type { SessionConfig } from "../runtime/session-config.ts";

const MICRO = 1_000_000;

/** For the harness. */
export function dayCapsOf({ maxCostPerDay }: Settings): Pick<OpenOptions, "dayCaps"> {
  return maxCostPerDay === undefined ? {} : { dayCaps: { cost_micro_usd: maxCostPerDay } };
}

/** For another process of ours that goes on under the same cap. */
export function dayCapWords({ maxCostPerDay }: Settings): readonly string[] {
  return maxCostPerDay === undefined ? [] : ["--max-cost-per-day", (maxCostPerDay / MICRO).toFixed(6)];
}

/** A cap that nobody can count against would be worse than none. @throws NightshiftError `E_CONFIG` */
export function checkDayCap({ maxCostPerDay }: Settings, { agent }: Pick<SessionConfig, "agent">): void {
  const { model, command } = agent;
  const isCounted = command === undefined || command.gateway?.forced === true;
  if (maxCostPerDay === undefined || (isCounted && model.price !== undefined)) return;
  const what = isCounted ? `the price of ${model.provider}:${model.id}` : "to know which model is asked";
  throw new NightshiftError("E_CONFIG", `the cap on what a day costs needs ${what}`, {
    hint: "A price is fixed when a session begins: name one (--price input,output), or take max_cost_per_day away.",
  });
}
