/** Model names, and what is known of their providers: which adapter, where, with whose key. */
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import { MODEL_KEYS, type ProviderAccess } from "../model/keys.ts";
import type { ConfigFile, Environment } from "./config.ts";

/** A model as the log names it. */
export type ModelConfig = EventBody<"session.created">["agent"]["model"];

/** `provider:id`, taken apart. */
export interface ModelName {
  readonly provider: string;
  readonly id: string;
}

/** The provider that plays a script file: its id is the file's path. */
export const SCRIPTED = "scripted";

/** @throws NightshiftError `E_MODEL_UNKNOWN` for another form, or a provider that nobody has described */
export function parseModelName(text: string, file: ConfigFile = {}): ModelName {
  const colon = text.indexOf(":");
  const provider = text.slice(0, colon);
  const id = text.slice(colon + 1);
  if (colon < 1 || id === "") {
    throw new NightshiftError("E_MODEL_UNKNOWN", `"${text}" is not of the form provider:model`);
  }
  if (provider !== SCRIPTED) accessOf(provider, file);
  return { provider, id };
}

/** How to reach a provider. @throws NightshiftError `E_MODEL_UNKNOWN` naming the known ones */
export function accessOf(provider: string, file: ConfigFile = {}): ProviderAccess {
  const builtIn: { readonly [name: string]: ProviderAccess | undefined } = MODEL_KEYS;
  const known = Object.hasOwn(MODEL_KEYS, provider) ? builtIn[provider] : undefined;
  const custom = file.providers?.[provider];
  if (known === undefined && custom === undefined) {
    const names = [...Object.keys(MODEL_KEYS), ...Object.keys(file.providers ?? {}), SCRIPTED];
    throw new NightshiftError(
      "E_MODEL_UNKNOWN",
      `there is no model provider "${provider}"; there are ${[...new Set(names)].join(", ")}`,
    );
  }
  return {
    adapter: known?.adapter ?? "openai-compatible",
    variable: custom?.key_variable ?? known?.variable,
    ...(custom?.key_variable === undefined &&
      known?.otherVariable !== undefined && { otherVariable: known.otherVariable }),
    baseUrl: custom?.base_url ?? known?.baseUrl,
    ...(known?.outputCapField === undefined ? {} : { outputCapField: known.outputCapField }),
  };
}

/**
 * The variable that must hold the provider's key, if it is missing. Servers that only the user knows may do without.
 */
export function missingKey(
  provider: string,
  environment: Environment,
  file: ConfigFile = {},
): string | undefined {
  if (provider === SCRIPTED || provider === "openai-compatible") return undefined;
  const access = accessOf(provider, file);
  return access.variable !== undefined && keyOf(access, environment) === undefined
    ? access.variable
    : undefined;
}

/** The key of a provider, from the first of its variables that is set. */
export function keyOf(
  { variable, otherVariable }: ProviderAccess,
  environment: Environment,
): string | undefined {
  for (const name of [variable, otherVariable]) {
    const key = name === undefined ? undefined : environment[name];
    if (key !== undefined && key !== "") return key;
  }
  return undefined;
}
