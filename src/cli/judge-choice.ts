/** Which model grades what no command can show, and what a person is told of it before anything is spent. */
import { NightshiftError } from "../core/errors.ts";
import { nameOf } from "../core/rules/model.ts";
import { anotherModel } from "../judge/another.ts";
import { JUDGES_MAX } from "../judge/panel.ts";
import type { Settings } from "../runtime/config.ts";
import type { ModelConfig } from "../runtime/providers.ts";
import type { SessionConfig } from "../runtime/session-config.ts";
import type { CommandContext } from "./context.ts";
import { pricedModelOf } from "./model-choice.ts";

/** The models of the session that its judge is not to be. */
type Agent = Pick<SessionConfig["agent"], "model" | "fallback">;

/**
 * The one that was named; else the one that stands in for the agent's, because the user has chosen it; else another one of
 * its provider. Undefined for the agent's own: of servers and scripts that only the user knows, nothing is known.
 */
export async function judgeOf(
  context: CommandContext,
  settings: Settings,
  { model, fallback }: Agent,
): Promise<ModelConfig | undefined> {
  const [named] = settings.judgeModels;
  if (named !== undefined) return await pricedModelOf(context, { ...settings, model: named }, {});
  if (fallback !== undefined && nameOf(fallback) !== nameOf(model)) return fallback;
  const other = anotherNameOf(model);
  if (other === undefined) return undefined;
  const judge = await pricedModelOf(context, { ...settings, model: other }, {});
  // A cap in money has to hold for the judge as well, and may be set later.
  return judge.price === undefined ? undefined : judge;
}

/** The others that were named: whatever the first one finds met, they have to find met as well. */
export async function furtherJudgesOf(
  context: CommandContext,
  settings: Settings,
): Promise<readonly ModelConfig[] | undefined> {
  const [, ...others] = settings.judgeModels;
  if (others.length >= JUDGES_MAX)
    throw new NightshiftError(
      "E_USAGE",
      `at most ${JUDGES_MAX} judges grade, and here are ${others.length + 1}`,
    );
  const judges = await Promise.all(others.map((model) => pricedModelOf(context, { ...settings, model }, {})));
  return judges.length === 0 ? undefined : judges;
}

/** Another model behind the same key, as `provider:model`; undefined where the provider's usual address is not asked. */
export function anotherNameOf({ provider, id, base_url }: ModelConfig): string | undefined {
  const other = base_url === undefined ? anotherModel(provider, id) : undefined;
  return other === undefined ? undefined : `${provider}:${other}`;
}

/** Who grades the rubrics of this session, and why that one. */
export function judgeText(
  { agent, judge, further_judges = [] }: Pick<SessionConfig, "agent" | "judge" | "further_judges">,
  isNamed: boolean,
): string {
  if (further_judges.length > 0 && judge !== undefined)
    return `${[judge, ...further_judges].map(nameOf).join(", ")}, who all have to agree`;
  if (judge === undefined || nameOf(judge) === nameOf(agent.model))
    return `${nameOf(agent.model)}, as the agent, and a model finds its own work good; --judge-model names another`;
  return isNamed ? nameOf(judge) : `${nameOf(judge)}, another one than the agent's; --judge-model names one`;
}
