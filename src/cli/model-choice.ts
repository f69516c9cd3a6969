/** Which model a command means, with everything that the log has to know of it. */
import { resolve } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { ConfigFile, Settings } from "../runtime/config.ts";
import { accessOf, type ModelConfig, missingKey, parseModelName, SCRIPTED } from "../runtime/providers.ts";
import { OUTPUT_TOKENS_STANDARD } from "../runtime/session-config.ts";
import type { CommandContext } from "./context.ts";

/** Flags about a model, besides its name. */
export interface ModelFlags {
  readonly price?: NonNullable<ModelConfig["price"]>;
  readonly maxOutputTokens?: number;
  readonly baseUrl?: string;
}

/** @throws NightshiftError `E_MODEL_UNKNOWN` when nobody named one, or its provider is not known */
export function modelOf(context: CommandContext, { model, file }: Settings, flags: ModelFlags): ModelConfig {
  if (model === undefined) {
    throw new NightshiftError("E_MODEL_UNKNOWN", "no model is named", {
      hint: "Pass --model provider:model (for example anthropic:claude-sonnet-5), or set NIGHTSHIFT_MODEL.",
    });
  }
  const { provider, id } = parseModelName(model, file);
  const price = flags.price ?? priceOf(file, model);
  const baseUrl = flags.baseUrl ?? (provider === SCRIPTED ? undefined : file.providers?.[provider]?.base_url);
  return {
    provider,
    // The log outlives the folder that this command was started in.
    id: provider === SCRIPTED ? resolve(context.directory, id) : id,
    max_output_tokens: flags.maxOutputTokens ?? file.max_output_tokens ?? OUTPUT_TOKENS_STANDARD,
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
    ...(price === undefined ? {} : { price }),
  };
}

/**
 * The same with a price where one is known: said, from the config file, or from the public lists. It is fixed in the log,
 * so that what a session has cost does not change with a later release.
 */
export async function pricedModelOf(
  context: CommandContext,
  settings: Settings,
  flags: ModelFlags,
): Promise<ModelConfig> {
  const model = modelOf(context, settings, flags);
  if (model.price !== undefined || model.provider === SCRIPTED) return model;
  const { listPrice } = await import("../model/list-price.ts");
  const price = await listPrice(model.provider, model.id);
  return price === undefined ? model : { ...model, price };
}

function priceOf(file: ConfigFile, model: string): ModelConfig["price"] {
  const listed = file.prices?.[model];
  if (listed === undefined) return undefined;
  const micro = (dollars: number): number => Math.round(dollars * 1_000_000);
  return {
    input: micro(listed.input),
    output: micro(listed.output),
    cache_read: micro(listed.cache_read ?? listed.input),
    cache_write: micro(listed.cache_write ?? listed.input),
  };
}

/**
 * A key that is missing or a script that is broken is better said before than in a log.
 * @throws NightshiftError `E_SCRIPT_INVALID`, `E_MODEL_KEY_MISSING`, `E_CONFIG`
 */
export async function checkModel(model: ModelConfig, { environment, file }: Settings): Promise<void> {
  if (model.provider === SCRIPTED) {
    const { loadScript } = await import("../model/script.ts");
    await loadScript(model.id);
    return;
  }
  const variable = missingKey(model.provider, environment, file);
  if (variable !== undefined) {
    throw new NightshiftError(
      "E_MODEL_KEY_MISSING",
      `${model.provider}:${model.id} needs a key, and ${variable} is not set`,
      {
        hint: `Set the environment variable ${variable} and run the same command again.`,
        data: { variable },
      },
    );
  }
  if ((model.base_url ?? accessOf(model.provider, file).baseUrl) === undefined) {
    throw new NightshiftError("E_CONFIG", `the address of model provider "${model.provider}" is not known`, {
      hint: `Pass --base-url, or set providers.${model.provider}.base_url in the config file.`,
    });
  }
}
