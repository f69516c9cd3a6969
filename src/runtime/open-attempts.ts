/** Puts the attempts of a session together: its program on this machine, and the keys of its models. */
import { closeSync, openSync, readSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { CommandAgent } from "../core/command/state.ts";
import { findPlaceOf, locateProgram, type ToolchainRequest } from "../environment/index.ts";
import type { GatewayUpstream, ModelGatewayParts } from "../gateway/model/contract.ts";
import type { ConfigFile, Environment } from "./config.ts";
import { accessOf } from "./providers.ts";
import { createProgramWorker } from "./registry.ts";
import {
  createSessionAttempts,
  type ProgramPlace,
  type SessionAttemptParts,
  type SessionAttempts,
} from "./session-attempts.ts";

/** What it takes. */
export interface OpenAttemptOptions extends Omit<SessionAttemptParts, "worker" | "program" | "upstreams"> {
  /** Of the person: where programs are, and keys of models. */
  readonly environment: Environment;
  readonly file: ConfigFile | undefined;
}

/** Opens nothing yet. @throws NightshiftError `E_MODEL_UNKNOWN` */
export async function openSessionAttempts(options: OpenAttemptOptions): Promise<SessionAttempts> {
  const { environment, file, ...parts } = options;
  return createSessionAttempts({
    ...parts,
    worker: await createProgramWorker(parts.config.agent.worker),
    program: (argv) =>
      parts.isIsolated
        ? findProgram(argv, parts.config.sandbox.workspace, environment)
        : Promise.resolve({ mounts: [], path: [] }),
    upstreams: upstreamsOf(parts.config.agent.command?.gateway, environment, file),
  });
}

function upstreamsOf(
  gateway: CommandAgent["gateway"],
  environment: Environment,
  file: ConfigFile | undefined,
): ModelGatewayParts["upstreams"] {
  const { anthropic, openai } = gateway ?? {};
  return {
    ...(anthropic !== undefined && { anthropic: upstreamOf(anthropic, environment, file) }),
    ...(openai !== undefined && { openai: upstreamOf(openai, environment, file) }),
  };
}

/** The key is looked up for each request, and is in nothing that is kept. */
function upstreamOf(
  { provider, base_url }: { readonly provider: string; readonly base_url?: string | undefined },
  environment: Environment,
  file: ConfigFile | undefined,
): GatewayUpstream {
  const { baseUrl, variable } = accessOf(provider, file);
  return {
    baseUrl: (base_url ?? baseUrl ?? "").replace(/\/+$/, ""),
    key: () => (variable === undefined ? undefined : environment[variable]),
  };
}

/**
 * A program that no sandbox could start is told before there is one. One in the workspace may be made by then.
 * @param workspace - absolute
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`
 */
export async function expectProgram(
  argv: readonly string[],
  isIsolated: boolean,
  workspace: string,
  environment: Environment,
): Promise<void> {
  const [program = ""] = argv;
  if (isIsolated) await findProgram(argv, workspace, environment);
  else if (!isOfWorkspace(program, workspace)) locateProgram(program, environment);
}

function isOfWorkspace(program: string, workspace: string): boolean {
  return isAbsolute(program) ? program.startsWith(`${workspace}/`) : program.includes("/");
}

/**
 * What has to be seen of the program, and of the one that reads it when it is a script.
 * @param workspace - absolute; a program in it is seen anyway
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`
 */
export async function findProgram(
  argv: readonly string[],
  workspace: string,
  environment: Environment,
): Promise<Pick<ProgramPlace, "mounts" | "path">> {
  const request = { workspace, environment, signal: new AbortController().signal };
  const own = await ownOf(argv[0] ?? "", request);
  const reader = readerOf(argv[0] ?? "", environment);
  const other = reader === undefined ? { mounts: [], path: [] } : await findPlaceOf(reader, request);
  const seen = new Set(own.mounts.map(({ target }) => target));
  return {
    mounts: [...own.mounts, ...other.mounts.filter(({ target }) => !seen.has(target))],
    path: [...new Set([...own.path, ...other.path])],
  };
}

/** One that is named by its place is looked for there; one within the workspace is seen anyway. */
async function ownOf(
  program: string,
  request: ToolchainRequest,
): Promise<Pick<ProgramPlace, "mounts" | "path">> {
  const { workspace, environment } = request;
  if (isOfWorkspace(program, workspace)) return { mounts: [], path: [] };
  if (!isAbsolute(program)) return findPlaceOf(program, request);
  locateProgram(program, environment);
  const path = `${dirname(program)}:${environment.PATH ?? ""}`;
  return findPlaceOf(basename(program), { ...request, environment: { ...environment, PATH: path } });
}

const FIRST_BYTES = 256;

/** `node` for a file that begins with `#!/usr/bin/env node`. */
function readerOf(program: string, { PATH: path = "" }: Environment): string | undefined {
  const folders = program.includes("/") ? [""] : path.split(":").filter(isAbsolute);
  for (const folder of folders) {
    const line = firstLine(join(folder, program));
    if (line === undefined) continue;
    const words = /^#!\s*(\S+)(?:\s+(?:-S\s+)?(\S+))?/.exec(line);
    if (words === null) return undefined;
    const [, reader = "", argument] = words;
    const name = basename(reader) === "env" ? argument : basename(reader);
    return name === "sh" || name === "bash" ? undefined : name;
  }
  return undefined;
}

function firstLine(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const buffer = Buffer.alloc(FIRST_BYTES);
    return buffer.toString("utf8", 0, readSync(file, buffer)).split("\n")[0];
  } catch {
    return "";
  } finally {
    closeSync(file);
  }
}
