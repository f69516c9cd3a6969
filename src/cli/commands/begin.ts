/** Where a new session's commands run, and on which files. */
import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { branchName, slugOf } from "../../core/branch/name.ts";
import { NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import type { EgressRule } from "../../gateway/egress/contract.ts";
import type { Settings } from "../../runtime/config.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { chooseSandbox, sandboxWarning } from "../../runtime/registry.ts";
import type { SessionOptions } from "../../runtime/session-config.ts";
import { placeInTree } from "../../runtime/state-folder.ts";
import type { Mount } from "../../sandbox/contract.ts";
import type { PreparedWorkspace, Rendering, Workspaces } from "../../workspace/contract.ts";
import type { Output } from "../output.ts";
import { formatQuantity } from "../render/format.ts";
import { wrap } from "../render/text.ts";

/** Flags about sandbox and files. */
export interface BeginFlags {
  readonly sandbox?: string;
  readonly dirty?: "refuse" | "include" | "ignore";
  readonly base?: string;
  readonly network?: readonly EgressRule[];
  readonly mount?: readonly string[];
  readonly setup?: readonly string[];
  readonly deps?: NonNullable<SessionOptions["deps"]>;
}

/** Where a session is to work. */
export interface BeginPlace {
  readonly sandbox: string;
  /** What is judged is a commit, so its files are a checkout even where nothing is isolated. */
  readonly needsCheckout: boolean;
  /** What the work is called; verified work becomes a branch that is called by it. */
  readonly title: string;
  /** What the contract needs to be there, unless a flag says something else. */
  readonly setup?: readonly string[] | undefined;
  /** Where the first check runs, relative to the workspace; absent where there is none. */
  readonly checkFolder?: string | undefined;
  /** What the contract says of changed dependencies, unless a flag says something else. */
  readonly deps?: SessionOptions["deps"];
  /** It may lie in the repository without being part of it. */
  readonly contractFile?: string | undefined;
  /** Texts for the agent to read in its workspace. */
  readonly renderings?: readonly Rendering[];
}

/** What flags come to for the session's configuration. */
export type Beginnings = Pick<
  SessionOptions,
  "sandbox" | "base" | "branch" | "network" | "setup" | "setupFolder" | "deps" | "mounts"
>;

/** The one that was named, or the first that isolates here. @throws NightshiftError `E_SANDBOX_UNAVAILABLE`, `E_BACKEND_UNKNOWN` */
export async function sandboxFor({ sandbox }: BeginFlags, settings: Settings): Promise<string> {
  const named = sandbox ?? settings.sandbox;
  if (named === undefined) return await chooseSandbox(settings.environment);
  // Refuses a name that there is not.
  sandboxWarning(named);
  return named;
}

/**
 * Makes what the sandbox begins with: a checkout where commands are isolated, for they may do what they like with it;
 * the folder itself where they are not.
 */
export async function beginnings(
  harness: OpenHarness,
  sessionId: SessionId,
  place: BeginPlace,
  settings: Settings,
  flags: BeginFlags,
  say: (text: string) => void,
): Promise<Beginnings> {
  const { sandbox } = place;
  const { network = [], setup = place.setup ?? [], mount = [], deps = place.deps } = flags;
  if (flags.deps !== undefined && setup.length === 0)
    throw new NightshiftError("E_USAGE", "--deps is about what --setup installs, and there is no --setup");
  const isIsolated = sandboxWarning(sandbox) === undefined;
  const mounts = mount.map((text) => mountOf(text, settings.workspace));
  if (!isIsolated) {
    const unfit = place.needsCheckout
      ? (["network", "setup", "deps", "mount"] as const)
      : (["dirty", "base", "network", "setup", "deps", "mount"] as const);
    const given = unfit.find((name) => flags[name] !== undefined);
    if (given === undefined && !place.needsCheckout) return { sandbox };
    if (given !== undefined)
      throw new NightshiftError(
        "E_USAGE",
        `--${given} needs a sandbox that isolates, and ${sandbox} does not`,
      );
  }
  const workspaces = await harness.workspaces();
  const options = {
    dirty: flags.dirty ?? "refuse",
    atMs: harness.clock.wallMs(),
    ...(flags.base !== undefined && { base: flags.base }),
    ...(place.contractFile !== undefined && { apart: resolve(settings.workspace, place.contractFile) }),
    ...(place.renderings !== undefined && { renderings: place.renderings }),
    // It cannot mount, so the files are copied.
    ...(!isIsolated && { copies: true }),
  };
  const never = new AbortController().signal;
  const prepared = await workspaces.prepare(sessionId, settings.workspace, options, never);
  for (const line of remarksOn(prepared)) say(line);
  const own = { sandbox, base: prepared.base, ...(await branchFor(workspaces, prepared, place.title)) };
  if (!isIsolated) return own;
  return {
    ...own,
    network,
    setup,
    setupFolder: place.checkFolder ?? placeInTree(settings.workspace).subfolder,
    mounts,
    ...(deps !== undefined && setup.length > 0 && { deps }),
  };
}

/** Refuses now what would be refused in the morning. A folder without a repository gets no branch. */
async function branchFor(
  workspaces: Workspaces,
  { sessionId, origin }: PreparedWorkspace,
  title: string,
): Promise<Pick<Beginnings, "branch">> {
  if (origin.kind !== "repository") return {};
  const branch = slugOf(title);
  try {
    await workspaces.checkBranch(sessionId, branchName(branch, sessionId), new AbortController().signal);
    return { branch };
  } catch (error) {
    await workspaces.remove(sessionId);
    throw error;
  }
}

function remarksOn({ likelySecrets, included, nestedRepositories }: PreparedWorkspace): string[] {
  const remarks: string[] = [];
  if (likelySecrets.length > 0)
    remarks.push(`warning: the agent can read what looks like secrets: ${likelySecrets.join(", ")}`);
  if (included.length > 0)
    remarks.push(`${formatQuantity(included.length, "ignored file")} came in by .worktreeinclude`);
  if (nestedRepositories.length > 0)
    remarks.push(`repositories within this one stay out: ${nestedRepositories.join(", ")}`);
  return remarks;
}

/** `source`, `source:target`, each with `:rw` behind it where it may be written. */
function mountOf(text: string, folder: string): Mount {
  const [source = "", ...rest] = text.split(":");
  const access = rest.at(-1) === "rw" ? "read-write" : "read-only";
  const [target = resolve(folder, source), ...more] = access === "read-write" ? rest.slice(0, -1) : rest;
  const path = resolve(folder, source);
  if (source === "" || more.length > 0 || !isAbsolute(target))
    throw new NightshiftError("E_USAGE", `--mount takes source[:target][:rw], not "${text}"`);
  if (!existsSync(path)) throw new NightshiftError("E_USAGE", `--mount: there is no ${path}`);
  return { source: path, target, access };
}

/** What a person must know before work begins. */
export function warnOf(sandbox: string, output: Output): void {
  const warning = sandboxWarning(sandbox);
  if (warning !== undefined) output.note(...wrap(`warning: ${warning}`, output.width));
}
