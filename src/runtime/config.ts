/**
 * What people have set: flags, then the environment, then the project's config file, then the user's, then defaults.
 * Works with none of them. Besides `system.ts` this is the only place that reads the environment.
 */
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { EgressInjection } from "../gateway/egress/contract.ts";
import { MODEL_KEYS, type ProviderAccess } from "../model/keys.ts";
import { parseConfig, readConfigText } from "./config-file.ts";
import type { ConfigFile, ProjectFile } from "./config-schema.ts";
import type { TargetConfig } from "./notify/contract.ts";
import { stateFolderFor } from "./state-folder.ts";

export type { ConfigFile, ProjectFile };

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
  /** `--judge-model`, each time it was given. */
  readonly judgeModels?: readonly string[] | undefined;
  /** `--max-cost-per-day`, in micro-dollars. */
  readonly maxCostPerDay?: number | undefined;
  /** What the project's own file says counts, too: for commands that begin work. */
  readonly usesProject?: boolean;
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
  /** `provider:model` of those who grade rubrics, in the order in which they are asked; empty when nobody named one. */
  readonly judgeModels: readonly string[];
  /** Name of a backend; undefined when nobody named one. */
  readonly sandbox: string | undefined;
  /** Micro-dollars that all sessions of the state folder may cost in a day; undefined for no cap. */
  readonly maxCostPerDay: number | undefined;
  /** What the files say together. */
  readonly file: ConfigFile & ProjectFile;
  /** Where the checks of the files were said, absolute; absent: in the workspace. */
  readonly checksIn?: string;
}

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * @throws NightshiftError `E_CONFIG` naming the field, `E_CONFIG_UNTRUSTED` for a project's file that nobody has read,
 *   `E_USAGE` for a folder that does not exist
 */
export async function loadSettings(request: SettingsRequest): Promise<Settings> {
  const { environment, directory } = request;
  // An empty one would stand for the current folder, and the log would be made among a project's files.
  if (request.state === "") throw new NightshiftError("E_USAGE", "--state names no folder");
  const workspace = existingFolder(resolve(directory, request.workspace ?? "."));
  const user = await readConfigFile(environment);
  const { file, checksIn } =
    request.usesProject === true ? await ofProject(workspace, environment, user) : { file: user };
  const state = request.state ?? nonEmpty(environment.NIGHTSHIFT_STATE) ?? file.state;
  const model = request.model ?? nonEmpty(environment.NIGHTSHIFT_MODEL) ?? file.model;
  const judges =
    request.judgeModels ?? nonEmpty(environment.NIGHTSHIFT_JUDGE_MODEL) ?? file.judge_model ?? [];
  const judgeModels = [...new Set(typeof judges === "string" ? [judges] : judges)];
  const stateFolder =
    state === undefined ? stateFolderFor(workspace, stateHome(environment)) : resolve(directory, state);
  const sandbox = nonEmpty(environment.NIGHTSHIFT_SANDBOX) ?? file.sandbox;
  const maxCostPerDay = request.maxCostPerDay ?? microDollars(file.max_cost_per_day);
  return {
    environment,
    workspace,
    stateFolder,
    model,
    judgeModels,
    sandbox,
    maxCostPerDay,
    file,
    ...(checksIn !== undefined && { checksIn }),
  };
}

function microDollars(dollars: number | undefined): number | undefined {
  return dollars === undefined ? undefined : Math.round(dollars * 1_000_000);
}

/** Loaded only by commands that begin work. */
async function ofProject(
  workspace: string,
  environment: Environment,
  user: ConfigFile,
): Promise<Pick<Settings, "file" | "checksIn">> {
  const { loadProject, withProject } = await import("./project-config.ts");
  const project = await loadProject(workspace, stateHome(environment));
  if (project === undefined) return { file: user };
  const file = withProject(user, project);
  return project.file.check === undefined ? { file } : { file, checksIn: dirname(project.path) };
}

/** Where the user's config file is, if there is one. @throws NightshiftError `E_CONFIG` when there are two */
function configPath(environment: Environment): string {
  const folder = join(xdgFolder(environment, "XDG_CONFIG_HOME", ".config"), "nightshift");
  const [yaml, json] = [join(folder, "config.yaml"), join(folder, "config.json")];
  if (!existsSync(json)) return yaml;
  if (!existsSync(yaml)) return json;
  throw new NightshiftError("E_CONFIG", `there are both ${yaml} and ${json}`, {
    hint: "Keep one of them.",
  });
}

/** The folder above the state folders of all projects; what the user trusts is kept there, out of their reach. */
export function stateHome(environment: Environment): string {
  return join(xdgFolder(environment, "XDG_STATE_HOME", ".local/state"), "nightshift");
}

/**
 * Every secret that the environment holds, so that the redactor can find them: keys of models, and whatever is
 * named like a secret. Paths are left out: a text that names a file with a secret is no secret.
 */
export function secretsOf(environment: Environment, file: ConfigFile = {}): string[] {
  const variables = new Set<string>();
  for (const { variable, otherVariable } of Object.values<ProviderAccess>(MODEL_KEYS))
    for (const name of [variable, otherVariable]) if (name !== undefined) variables.add(name);
  for (const { key_variable } of Object.values(file.providers ?? {}))
    if (key_variable !== undefined) variables.add(key_variable);
  for (const { secret_variable } of file.notify ?? [])
    if (secret_variable !== undefined) variables.add(secret_variable);
  for (const headers of Object.values(file.inject ?? {}))
    for (const value of Object.values(headers)) for (const name of variablesIn(value)) variables.add(name);
  const secrets = Object.entries(environment).flatMap(([name, value]) => {
    const isSecret = variables.has(name) || (SECRET_NAME.test(name) && !isPath(value));
    return isSecret && value !== undefined && value !== "" ? [value] : [];
  });
  return [...new Set(secrets)];
}

/** Who is told when a session rests. Those without a name are called by what they are and their place. */
export function targetsOf(file: ConfigFile = {}): readonly TargetConfig[] {
  return (file.notify ?? []).map(({ name, on, ...way }, index) => ({
    ...way,
    name: name ?? `${way.command === undefined ? "webhook" : "command"}-${index + 1}`,
    on: on ?? ["done", "blocked", "budget", "stall"],
  }));
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

async function readConfigFile(environment: Environment): Promise<ConfigFile> {
  const path = configPath(environment);
  const text = readConfigText(path);
  if (text === undefined) return {};
  const { configSchema } = await import("./config-schema.ts");
  return await parseConfig(path, text, configSchema);
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
