/** The judge by itself. */
import type { JudgeFlags } from "../commands/judge.ts";
import { price, webAddress, wholeNumber } from "../flags.ts";
import { type CommandSpec, command, JSON_FLAG, PLACE_FLAGS } from "./spec.ts";

/** Commands about the model that grades. */
export const judgeCommands: readonly CommandSpec[] = [
  command<JudgeFlags>({
    name: "judge",
    description: "calibrate: try the model that grades on artefacts whose right grade is known",
    arguments: [{ name: "action", description: "calibrate", kind: "required" }],
    flags: [
      { name: "model", value: "<provider:model>", description: "who grades (default: the judge's model)" },
      {
        name: "base-url",
        value: "<address>",
        description: "where the provider's API is",
        parse: webAddress("--base-url"),
      },
      {
        name: "price",
        value: "<input,output>",
        description: "dollars per million tokens",
        parse: price("--price"),
      },
      {
        name: "max-output-tokens",
        value: "<count>",
        description: "cap of one answer",
        parse: wholeNumber("--max-output-tokens", 1_000_000),
      },
      { name: "sandbox", value: "<backend>", description: "where it looks (default: what works)" },
      ...PLACE_FLAGS,
      JSON_FLAG,
    ],
    run: async (context, [action = ""], flags) =>
      (await import("../commands/judge.ts")).judge(context, action, flags),
  }),
];
