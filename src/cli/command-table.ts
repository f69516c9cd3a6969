/** The commands as data: what they take and what they do. Each loads its own code when it is run. */
import { beginCommands, completionsCommand } from "./command-table/begin.ts";
import { budgetCommand } from "./command-table/caps.ts";
import { driveCommands } from "./command-table/drive.ts";
import { fileCommands } from "./command-table/files.ts";
import { judgeCommands } from "./command-table/judge.ts";
import { lookCommands } from "./command-table/look.ts";
import { personCommands } from "./command-table/person.ts";
import { planningCommands } from "./command-table/planning.ts";
import { repairCommands } from "./command-table/repair.ts";
import type { CommandSpec } from "./command-table/spec.ts";
import { tryCommands } from "./command-table/try.ts";
import { verifyCommands } from "./command-table/verify.ts";

/** All commands, in the order in which help shows them. */
export const COMMANDS: readonly CommandSpec[] = [
  ...beginCommands,
  ...planningCommands,
  ...driveCommands,
  budgetCommand,
  ...personCommands,
  ...lookCommands,
  ...fileCommands,
  ...verifyCommands,
  ...repairCommands,
  ...judgeCommands,
  ...tryCommands,
  completionsCommand(() => COMMANDS),
];
