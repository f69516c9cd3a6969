/** `init`: looks at a project and writes a first `nightshift.yaml` for it. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { ProjectFacts } from "../../planning/detect/contract.ts";
import { detectProject } from "../../planning/detect/detect.ts";
import { openFolder } from "../../planning/detect/folder.ts";
import { type Settings, stateHome } from "../../runtime/config.ts";
import { loadProject, PROJECT_FILE } from "../../runtime/project-config.ts";
import { gitCommonFolder } from "../../runtime/state-folder.ts";
import { addTrust } from "../../runtime/trust.ts";
import { type CommandContext, commandLine, type PlaceFlags, settingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { factLines, wrap } from "../render/text.ts";

/** Flags of `init`. */
export interface InitFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly check?: readonly string[];
  readonly schema?: boolean;
}

/** The user made it, so it is trusted. Never replaces a file. */
export async function init(context: CommandContext, flags: InitFlags): Promise<number> {
  const { output, environment } = context;
  if (flags.schema === true) {
    output.printJson(await schemaOfProject());
    return EXIT.ok;
  }
  const settings = await settingsFor(context, flags);
  const { workspace } = settings;
  const path = join(workspace, PROJECT_FILE);
  if (existsSync(path)) throw alreadyThere(flags);
  const facts = await detectProject(openFolder(workspace));
  const checks = flags.check ?? facts.tests.slice(0, 1).map(({ text, folder }) => inFolder(text, folder));
  write(path, fileText(checks, facts), flags);
  const project = await loadProject(workspace, stateHome(environment));
  if (project !== undefined) addTrust(stateHome(environment), project);
  report(context, flags, { path, checks, facts, settings });
  return EXIT.ok;
}

async function schemaOfProject(): Promise<object> {
  const { projectSchema } = await import("../../runtime/config-schema.ts");
  const { toJSONSchema } = await import("zod");
  return { title: PROJECT_FILE, ...toJSONSchema(projectSchema) };
}

function inFolder(text: string, folder: string): string {
  return folder === "" ? text : `cd '${folder.replaceAll("'", `'\\''`)}' && ${text}`;
}

/** Each line that is not needed is there as a comment, so that a newcomer sees what there is. */
function fileText(checks: readonly string[], { chores }: ProjectFacts): string {
  const others = Object.values(chores).filter((text) => !checks.includes(text));
  const list = (texts: readonly string[]): string[] => texts.map((text) => `  - ${JSON.stringify(text)}`);
  return [
    "# How agents work on this project. What the command line says comes before what is said here.",
    "# `nightshift init --schema` prints every field there is, as a JSON schema for editors.",
    "",
    "# Done means that these pass when the harness runs them on a clean checkout.",
    ...(checks.length > 0 ? ["check:", ...list(checks)] : ["# check:", '#   - "npm test"']),
    ...others.map((text) => `#   - ${JSON.stringify(text)}`),
    "",
    "# What this command needs is made available: its programs, and the dependencies of the project.",
    checks.length > 0 ? `setup: ${JSON.stringify(checks[0])}` : '# setup: "npm test"',
    "",
    "# Files that an agent may not change, besides tests and their configuration.",
    "# protect:",
    '#   - "ci/**"',
    "",
    "# model: anthropic:claude-sonnet-5",
    "# max_cost: 5",
    "",
  ].join("\n");
}

function write(path: string, text: string, flags: InitFlags): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw alreadyThere(flags);
    throw new NightshiftError("E_USAGE", `${path} cannot be written: ${code}`, {
      cause,
      hint: "Name a folder that you may write to with -C.",
    });
  }
}

function alreadyThere(flags: InitFlags): NightshiftError {
  return new NightshiftError("E_USAGE", `${PROJECT_FILE} is there already`, {
    hint: `Edit it, then run \`${commandLine(flags, "trust")}\`.`,
  });
}

function report(
  { output }: CommandContext,
  flags: InitFlags,
  found: {
    readonly path: string;
    readonly checks: readonly string[];
    readonly facts: ProjectFacts;
    readonly settings: Settings;
  },
): void {
  const { path, checks, facts, settings } = found;
  const isRepository = gitCommonFolder(settings.workspace) !== undefined;
  if (flags.json === true) {
    output.printJson({ path, checks, tests: facts.tests, is_repository: isRepository });
    return;
  }
  const { width } = output;
  output.print(...factLines("wrote", path, width));
  for (const check of checks) output.print(...factLines("check", check, width));
  if (checks.length === 0)
    output.note(...wrap("no test command was found: name what has to pass under `check`", width));
  if (!isRepository) output.note("next: git init, and commit what is there");
  else if (settings.model === undefined) output.note("next: set `model` in it, or NIGHTSHIFT_MODEL");
  else output.note(`next: ${commandLine(flags, "run", "what is to be done")}`);
}
