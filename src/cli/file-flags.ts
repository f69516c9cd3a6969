/** What config files say in the place of flags that nobody gave. */
import type { Settings } from "../runtime/config.ts";
import { parseDuration } from "../runtime/duration.ts";
import {
  type BreakerSetting,
  breaker as breakerSetting,
  type CapFlags,
  type LimitFlags,
} from "./budget-flags.ts";
import type { BeginFlags } from "./commands/begin.ts";
import type { ContractFlags } from "./contract-choice.ts";
import { hosts } from "./flags.ts";

/** Flags that a config file can stand in for. */
export interface FileFlags extends ContractFlags, BeginFlags, CapFlags, LimitFlags {
  readonly maxFailures?: number;
  readonly worker?: "loop" | "command";
}

const MICRO = 1_000_000;
const DONE = ["check", "contract", "rubric", "heldOut"] as const;

/**
 * The same flags, filled up. Whoever says on the command line what done means has said all of it; of breakers, each
 * counts by itself.
 */
export function withFileFlags<Flags extends FileFlags>(flags: Flags, settings: Settings): Flags {
  const said = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const breaker = [...breakersOf(settings.file), ...(flags.breaker ?? [])];
  return {
    ...fromFile(flags, settings),
    ...said,
    ...(breaker.length > 0 && { breaker }),
  } as Flags;
}

function fromFile(flags: FileFlags, { file, checksIn }: Settings): FileFlags {
  const isSaid = DONE.some((name) => flags[name] !== undefined);
  const done = isSaid ? {} : doneOf(file);
  // Rules about verdicts are for whoever has something to verify.
  const rules = isSaid || Object.keys(done).length > 0 ? rulesOf(file) : {};
  return {
    ...done,
    ...(done.check !== undefined && checksIn !== undefined && { checksIn }),
    ...rules,
    ...(file.setup !== undefined && { setup: file.setup.trim().split(/\s+/) }),
    ...(file.deps !== undefined && { deps: file.deps }),
    ...(file.network !== undefined && { network: listOf(file.network).flatMap(hosts("network")) }),
    ...capsOf(file),
    ...providerLimitsOf(flags, file),
  };
}

function capsOf(file: Settings["file"]): CapFlags {
  const [duration, active] = [msOf(file.max_duration), msOf(file.max_active)];
  return {
    ...(file.max_requests !== undefined && { maxRequests: file.max_requests }),
    ...(file.max_tokens !== undefined && { maxTokens: file.max_tokens }),
    ...(file.max_cost !== undefined && { maxCost: microOf(file.max_cost) }),
    ...(file.max_attempts !== undefined && { maxAttempts: file.max_attempts }),
    ...(duration !== undefined && { maxDuration: duration }),
    ...(active !== undefined && { maxActive: active }),
    ...(file.max_attempt_cost !== undefined && { maxAttemptCost: microOf(file.max_attempt_cost) }),
    ...(file.max_criterion_cost !== undefined && { maxCriterionCost: microOf(file.max_criterion_cost) }),
  };
}

/** A program deals with its provider itself. Whoever names a model to fall back to wants to fall back to it. */
function providerLimitsOf(flags: FileFlags, file: Settings["file"]): FileFlags {
  if (flags.worker === "command") return {};
  const onLimit = flags.fallbackModel === undefined ? file.on_limit : undefined;
  const outage = msOf(file.max_outage);
  return {
    ...(onLimit !== undefined && { onLimit }),
    ...(file.fallback_model !== undefined && { fallbackModel: file.fallback_model }),
    ...(outage !== undefined && { maxOutage: outage }),
    ...(file.max_failures !== undefined && { maxFailures: file.max_failures }),
  };
}

function breakersOf({ breaker = {} }: Settings["file"]): readonly BreakerSetting[] {
  return Object.entries(breaker).map(([name, limit]) => breakerSetting(`${name}=${limit}`));
}

function microOf(dollars: number): number {
  return Math.round(dollars * MICRO);
}

function msOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function doneOf({ check, contract, rubric }: Settings["file"]): FileFlags {
  return {
    ...(check !== undefined && { check: listOf(check) }),
    ...(contract !== undefined && { contract }),
    ...(rubric !== undefined && { rubric: listOf(rubric) }),
  };
}

function rulesOf(file: Settings["file"]): FileFlags {
  return {
    ...(file.protect !== undefined && { protect: listOf(file.protect) }),
    ...(file.protection !== undefined && { protection: file.protection }),
    ...(file.max_verdicts !== undefined && { maxVerdicts: file.max_verdicts }),
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
