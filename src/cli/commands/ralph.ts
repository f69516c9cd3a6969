/** `ralph`: the short form of `run --worker command`, with what has to be met taken from the repository. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TASKS_PATH } from "../../core/command/renderings.ts";
import { NightshiftError } from "../../core/errors.ts";
import { detectProject } from "../../planning/detect/detect.ts";
import { openFolder } from "../../planning/detect/folder.ts";
import type { Settings } from "../../runtime/config.ts";
import { type CommandContext, projectSettingsFor } from "../context.ts";
import { type RunFlags, run } from "./run.ts";

/** @throws NightshiftError `E_USAGE` when nothing says what has to be met */
export async function ralph(
  context: CommandContext,
  words: readonly string[],
  flags: RunFlags,
): Promise<number> {
  const said = [flags.check, flags.contract, flags.rubric, flags.heldOut].some((each) => each !== undefined);
  const found = said ? {} : await foundFor(await projectSettingsFor(context, flags));
  return await run(context, words, { ...flags, ...found, worker: "command" });
}

/** What config files say counts as it does for `run`; else the tasks that the repository has, or how it is tested. */
async function foundFor({ file, workspace }: Settings): Promise<Pick<RunFlags, "check" | "contract">> {
  if ([file.check, file.contract, file.rubric].some((each) => each !== undefined)) return {};
  if (existsSync(join(workspace, TASKS_PATH))) return { contract: TASKS_PATH };
  const { tests } = await detectProject(openFolder(workspace));
  const [test] = tests;
  if (test !== undefined) return { check: [test.text] };
  throw new NightshiftError("E_USAGE", "nothing says when it is done", {
    hint: "Pass --check with the command that has to pass, or --contract with a file.",
  });
}
