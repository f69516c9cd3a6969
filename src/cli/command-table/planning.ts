/** Where contracts come from. */
import type { AssessFlags } from "../commands/assess.ts";
import type { PlanFlags } from "../commands/plan.ts";
import { CONTRACT_FLAGS, MODEL_FLAGS, SESSION_FLAGS } from "./drive.ts";
import { type CommandSpec, command, IGNORE_PROJECT_FLAG, JSON_FLAG, PLACE_FLAGS } from "./spec.ts";

/** Commands that come before work begins. */
export const planningCommands: readonly CommandSpec[] = [
  command<AssessFlags>({
    name: "assess",
    description: "say whether a task needs a contract, and whether it says enough for one",
    arguments: [
      { name: "prompt", description: "what is to be done; - reads it from standard input", kind: "any" },
    ],
    flags: [...PLACE_FLAGS, ...CONTRACT_FLAGS, IGNORE_PROJECT_FLAG, JSON_FLAG],
    run: async (context, words, flags) =>
      (await import("../commands/assess.ts")).assess(context, words, flags),
  }),
  command<PlanFlags>({
    name: "plan",
    description: "let a model propose a contract for a goal, look at it, keep it as a file, run it",
    arguments: [
      { name: "goal", description: "what is to be done; - reads it from standard input", kind: "list" },
    ],
    flags: [
      ...MODEL_FLAGS,
      ...PLACE_FLAGS,
      {
        name: "out",
        value: "<file>",
        description: "where the contract goes (default: nightshift.contract.json)",
      },
      { name: "yes", description: "accept it unasked" },
      { name: "run", description: "run what is accepted, with the flags of run" },
      ...SESSION_FLAGS,
      IGNORE_PROJECT_FLAG,
      JSON_FLAG,
    ],
    run: async (context, words, flags) => (await import("../commands/plan.ts")).plan(context, words, flags),
  }),
];
