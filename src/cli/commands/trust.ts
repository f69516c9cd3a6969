/** `trust`: a person has read the project's config file, and lets it count. */
import { NightshiftError } from "../../core/errors.ts";
import { stateHome } from "../../runtime/config.ts";
import { loadProject, PROJECT_FILE, type ProjectConfig } from "../../runtime/project-config.ts";
import { addTrust, removeTrust } from "../../runtime/trust.ts";
import { isAgreed } from "../ask.ts";
import { type CommandContext, commandLine, type PlaceFlags, settingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { singleLine, wrap } from "../render/text.ts";

/** Flags of `trust`. */
export interface TrustFlags extends PlaceFlags {
  readonly remove?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Exits with 4 when nobody agreed. */
export async function trust(context: CommandContext, flags: TrustFlags): Promise<number> {
  const { output, environment } = context;
  const { workspace } = await settingsFor(context, flags);
  const home = stateHome(environment);
  const project = await loadProject(workspace, home);
  if (project === undefined)
    throw new NightshiftError("E_USAGE", `there is no ${PROJECT_FILE} in ${workspace} or above it`, {
      hint: `Make one with \`${commandLine(flags, "init")}\`.`,
    });
  if (flags.remove === true) {
    removeTrust(home, project.path);
    return tell(context, flags, { ...project, isTrusted: false });
  }
  if (project.isTrusted) return tell(context, flags, project);
  if (flags.json !== true) show(context, project);
  const isTrusted = flags.yes === true || (await isAgreed(output, "let it count, exactly as it is?"));
  if (isTrusted) addTrust(home, project);
  tell(context, flags, { ...project, isTrusted });
  return isTrusted ? EXIT.ok : EXIT.person;
}

function show({ output }: CommandContext, { path, file, powers }: ProjectConfig): void {
  output.print(...wrap(`${path} wants to set:`, output.width));
  for (const [name, value] of Object.entries(file)) {
    const mark = powers.includes(name) ? "  (needs trust)" : "";
    output.print(...wrap(singleLine(`${name}: ${textOf(value)}${mark}`), output.width));
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function tell({ output }: CommandContext, flags: TrustFlags, project: ProjectConfig): number {
  const { path, sha256, isTrusted, powers } = project;
  if (flags.json === true) output.printJson({ path, sha256, trusted: isTrusted, fields: powers });
  else
    output.print(
      ...wrap(`${path} is ${isTrusted ? "trusted until it changes" : "not trusted"}`, output.width),
    );
  return EXIT.ok;
}
