/** Verdicts outside of a run. */
import type { ExportFlags } from "../commands/verify-bundle.ts";
import type { VerifyFlags } from "../verdicts.ts";
import { type CommandSpec, command, JSON_FLAG, PLACE_FLAGS, SESSION } from "./spec.ts";

/** Commands that judge again, and that let others do so. */
export const verifyCommands: readonly CommandSpec[] = [
  command<VerifyFlags>({
    name: "verify",
    description:
      "run a contract's checks on a commit, or check a bundle of evidence; ends as the verdict says",
    arguments: [
      {
        name: "what",
        description:
          "a session (default: the newest), a commit under the contract of that one, or the file of a bundle",
        kind: "optional",
      },
    ],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "commit",
        value: "<revision>",
        description: "which commit (default: that of the newest verdict)",
      },
      {
        name: "head",
        value: "<position:hash>",
        description: "of a bundle: the head that its log has to have",
      },
      { name: "rerun", description: "of a bundle: run its checks once more, here" },
      {
        name: "sandbox",
        value: "<backend>",
        description: "where checks of a bundle run (default: what isolates here)",
      },
      JSON_FLAG,
    ],
    run: async (context, [what], flags) =>
      (await import("../commands/verify.ts")).verify(context, what, flags),
  }),
  command<ExportFlags>({
    name: "export",
    description:
      "write a session's newest verdict, with all that it follows from, as one file for others to check",
    arguments: [
      SESSION,
      { name: "file", description: "to be made; must not be there yet", kind: "required" },
    ],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id = "", file = ""], flags) =>
      (await import("../commands/verify-bundle.ts")).exportBundle(context, id, file, flags),
  }),
];
