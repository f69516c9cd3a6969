/**
 * The config file that a project carries. It came with the repository, so somebody else may have written it: what it
 * says counts only when the user has trusted exactly this text. Without that it may narrow what an agent can do, and
 * nothing else.
 */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import { parseConfig, readConfigText } from "./config-file.ts";
import type { ConfigFile, ProjectFile } from "./config-schema.ts";
import { parseDuration } from "./duration.ts";
import { isTrusted } from "./trust.ts";

/** How it is called. */
export const PROJECT_FILE = "nightshift.yaml";

/** A project's config file and how far it counts. */
export interface ProjectConfig {
  readonly path: string;
  /** Of its text. */
  readonly sha256: string;
  readonly file: ProjectFile;
  readonly isTrusted: boolean;
  /** Fields that count only when it is trusted: they could run code, name hosts, loosen the sandbox or raise caps. */
  readonly powers: readonly string[];
}

/** Of these a file that is not trusted may only make smaller ones. */
const CAPS = [
  "max_requests",
  "max_tokens",
  "max_cost",
  "max_cost_per_day",
  "max_attempts",
  "max_attempt_cost",
  "max_criterion_cost",
  "max_duration",
  "max_active",
] as const;
/** Of other projects' sessions, too, so that no project may raise it. */
const SHARED_CAPS = ["max_cost_per_day"] as const;

/**
 * The one of this folder, or the nearest above it within the same working tree; undefined without one.
 * @param trustFolder - where the user's trust is kept
 * @throws NightshiftError `E_CONFIG`
 */
export async function loadProject(
  workspace: string,
  trustFolder: string,
): Promise<ProjectConfig | undefined> {
  const path = projectPath(workspace);
  const text = path === undefined ? undefined : readConfigText(path);
  if (path === undefined || text === undefined) return undefined;
  const { projectSchema } = await import("./config-schema.ts");
  const parsed = await parseConfig(path, text, projectSchema);
  const { contract } = parsed;
  const file = contract === undefined ? parsed : { ...parsed, contract: resolve(dirname(path), contract) };
  const sha256 = hash("sha256", text, "hex");
  return { path, sha256, file, isTrusted: isTrusted(trustFolder, { path, sha256 }), powers: powersOf(file) };
}

function projectPath(workspace: string): string | undefined {
  for (let folder = workspace; ; folder = dirname(folder)) {
    const path = join(folder, PROJECT_FILE);
    if (existsSync(path)) return path;
    // Above the repository begins what is none of its business.
    if (existsSync(join(folder, ".git")) || dirname(folder) === folder) return undefined;
  }
}

function powersOf(file: ProjectFile): string[] {
  return Object.keys(file).filter((name) => {
    if (name === "protection") return file.protection === "additive";
    return (
      name !== "protect" && name !== "approve" && name !== "max_verdicts" && !CAPS.some((cap) => cap === name)
    );
  });
}

/**
 * What the user's file says, with what the project's may add: its own caps where it is trusted, else only smaller ones;
 * of a day, only a smaller one.
 * @throws NightshiftError `E_CONFIG_UNTRUSTED` when it asks for more than that
 */
export function withProject(user: ConfigFile, project: ProjectConfig): ConfigFile & ProjectFile {
  const approve = [user.approve ?? [], project.file.approve ?? []].flat();
  const rules = approve.length > 0 ? { approve } : {};
  if (!project.isTrusted && project.powers.length > 0) throw untrusted(project);
  const caps = smaller(user, project.file, project.isTrusted ? SHARED_CAPS : CAPS);
  return { ...user, ...project.file, ...rules, ...caps };
}

function smaller(user: ConfigFile, project: ProjectFile, caps: readonly (typeof CAPS)[number][]): ConfigFile {
  const entries = caps.flatMap((cap) => {
    const given = [user[cap], project[cap]].filter((value) => value !== undefined);
    const [smallest] = given.toSorted((one, other) => sizeOf(one) - sizeOf(other));
    return smallest === undefined ? [] : [[cap, smallest] as const];
  });
  return Object.fromEntries(entries);
}

/** Durations are told with their units. */
function sizeOf(cap: number | string): number {
  return typeof cap === "number" ? cap : (parseDuration(cap) ?? Number.POSITIVE_INFINITY);
}

function untrusted({ path, powers }: ProjectConfig): NightshiftError {
  return new NightshiftError("E_CONFIG_UNTRUSTED", `${path} sets ${powers.join(", ")}, and is not trusted`, {
    data: { path, fields: powers },
  });
}
