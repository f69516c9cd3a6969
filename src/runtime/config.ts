/**
 * What people have set: flags, then the environment, then the user's config file, then defaults. Works with none of
 * them. Besides `system.ts` this is the only place that reads the environment.
 */
import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import type { EgressInjection } from "../gateway/egress/contract.ts";
import { MODEL_KEYS } from "../model/keys.ts";
import type { ConfigFile } from "./config-schema.ts";
import { stateFolderFor } from "./state-folder.ts";

export type { ConfigFile };

/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined };

/** What flags may say about where things are. */
export interface SettingsRequest {
  readonly environment: Environment;
  /** The folder that the command was started in. */
  readonly directory: string;
  /** `-C`: work in this folder instead; relative to `directory`. */
  readonly workspace?: string | undefined;
  /** `--state`: relative to `directory`. */
  readonly state?: string | undefined;
  /** `--model`. */
  readonly model?: string | undefined;
  /** `--judge-model`. */
  readonly judgeModel?: string | undefined;
}

/** Settings with everything resolved that can be. */
export interface Settings {
  readonly environment: Environment;
  /** Absolute, without links. */
  readonly workspace: string;
  /** Absolute; need not exist. */
  readonly stateFolder: string;
  /** `provider:model`; undefined when nobody named one. */
  readonly model: string | undefined;
  /** `provider:model` of who grades rubrics; undefined when nobody named one, and then it is {@link model}. */
  readonly judgeModel: string | undefined;
  /** Name of a backend; undefined when nobody named one. */
  readonly sandbox: string | undefined;
  readonly file: ConfigFile;
}

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** @throws NightshiftError `E_CONFIG` naming the field, `E_USAGE` for a folder that does not exist */
export async function loadSettings(request: SettingsRequest): Promise<Settings> {
  const { environment, directory } = request;
  const file = await readConfigFile(configPath(environment));
  const workspace = existingFolder(resolve(directory, request.workspace ?? "."));
  const state = request.state ?? nonEmpty(environment.NIGHTSHIFT_STATE) ?? file.state;
  const model = request.model ?? nonEmpty(environment.NIGHTSHIFT_MODEL) ?? file.model;
  const judgeModel = request.judgeModel ?? nonEmpty(environment.NIGHTSHIFT_JUDGE_MODEL) ?? file.judge_model;
  const stateFolder =
    state === undefined
      ? stateFolderFor(
          workspace,
          join(xdgFolder(environment, "XDG_STATE_HOME", ".local/state"), "nightshift"),
        )
      : resolve(directory, state);
  const sandbox = nonEmpty(environment.NIGHTSHIFT_SANDBOX) ?? file.sandbox;
  return { environment, workspace, stateFolder, model, judgeModel, sandbox, file };
}

/** Where the user's config file is, if there is one. */
export function configPath(environment: Environment): string {
  return join(xdgFolder(environment, "XDG_CONFIG_HOME", ".config"), "nightshift", "config.json");
}

/**
 * Every secret that the environment holds, so that the redactor can find them: keys of models, and whatever is
 * named like a secret. Paths are left out: a text that names a file with a secret is no secret.
 */
export function secretsOf(environment: Environment, file: ConfigFile = {}): string[] {
  const variables = new Set<string>();
  for (const { variable } of Object.values(MODEL_KEYS)) if (variable !== undefined) variables.add(variable);
  for (const { key_variable } of Object.values(file.providers ?? {}))
    if (key_variable !== undefined) variables.add(key_variable);
  for (const headers of Object.values(file.inject ?? {}))
    for (const value of Object.values(headers)) for (const name of variablesIn(value)) variables.add(name);
  const secrets = Object.entries(environment).flatMap(([name, value]) => {
    const isSecret = variables.has(name) || (SECRET_NAME.test(name) && !isPath(value));
    return isSecret && value !== undefined && value !== "" ? [value] : [];
  });
  return [...new Set(secrets)];
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

function variablesIn(text: string): string[] {
  return [...text.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/**
 * Headers that the egress proxy adds, with the values of the variables that they name.
 * @throws NightshiftError `E_CONFIG` for a variable that is not set
 */
export function injectionsOf(environment: Environment, file: ConfigFile = {}): EgressInjection[] {
  return Object.entries(file.inject ?? {}).map(([host, headers]) => {
    const filled = Object.entries(headers).map(([name, text]): [string, string] => [
      name,
      text.replace(VARIABLE, (_whole, variable: string) => {
        const value = environment[variable];
        if (value !== undefined && value !== "") return value;
        throw new NightshiftError("E_CONFIG", `inject.${host}.${name} names ${variable}, which is not set`);
      }),
    ]);
    return { host, headers: Object.fromEntries(filled) };
  });
}

const SECRET_NAME = /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH)(_|\d|$)/i;

function isPath(value: string | undefined): boolean {
  return value?.startsWith("/") === true || value?.startsWith("~/") === true;
}

async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = readIfPresent(path);
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NightshiftError("E_CONFIG", `${path} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  const { configSchema } = await import("./config-schema.ts");
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "the top level" : issue.path.join(".");
  throw new NightshiftError("E_CONFIG", `${path}, ${field}: ${issue?.message ?? "invalid"}`, {
    data: { path, field },
  });
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new NightshiftError("E_CONFIG", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The XDG specification says that relative values are to be ignored. */
function xdgFolder(environment: Environment, variable: string, standard: string): string {
  const value = environment[variable];
  if (value !== undefined && isAbsolute(value)) return value;
  return join(nonEmpty(environment.HOME) ?? homedir(), standard);
}

function existingFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new NightshiftError("E_USAGE", `the folder ${path} does not exist`, {
      cause: error,
      hint: "Pass an existing folder with -C.",
    });
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
