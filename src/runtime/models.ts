/** The adapter of a model as the log names it. */
import type { Clock } from "../core/clock.ts";
import type { ModelAdapter } from "../model/contract.ts";
import type { ConfigFile, Environment } from "./config.ts";
import { createKeylessModel } from "./keyless-model.ts";
import { accessOf, keyOf, type ModelConfig, missingKey, SCRIPTED } from "./providers.ts";
import { createModelAdapter } from "./registry.ts";

/** Where keys and addresses of providers are found. */
export interface ModelAccess {
  readonly environment: Environment;
  readonly file: ConfigFile | undefined;
  readonly clock: Clock;
}

/**
 * A model whose key is missing fails each request (class `authentication`), so that the reason ends up in the log.
 * @throws NightshiftError `E_MODEL_UNKNOWN`, `E_SCRIPT_INVALID`, `E_CONFIG`
 */
export async function openModel(config: ModelConfig, access: ModelAccess): Promise<ModelAdapter> {
  const { provider, id, base_url } = config;
  const { environment, file, clock } = access;
  const missing = missingKey(provider, environment, file);
  if (missing !== undefined) return createKeylessModel(provider, missing);
  const known = provider === SCRIPTED ? undefined : accessOf(provider, file);
  return await createModelAdapter(known?.adapter ?? SCRIPTED, {
    provider,
    id,
    clock,
    key: () => (known === undefined ? undefined : keyOf(known, environment)),
    baseUrl: base_url ?? known?.baseUrl,
    outputCapField: known?.outputCapField,
  });
}
