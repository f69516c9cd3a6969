/** What flags and the config file say about people: who is asked, and about what. */
import { NightshiftError } from "../core/errors.ts";
import type { ConfigFile } from "../runtime/config-schema.ts";
import { type SessionPolicy, TOOL_NAMES } from "../runtime/session-config.ts";
import { wrongRule } from "../tool/permission.ts";
import type { FlagSpec } from "./command-table/spec.ts";
import { duration } from "./flags.ts";

/** Flags of commands that begin a session. */
export interface PeopleFlags {
  readonly approve?: readonly string[];
  readonly unattended?: boolean;
  readonly approvalTimeout?: number;
}

/** The same for parsers and help. */
export const PEOPLE_FLAGS: readonly FlagSpec[] = [
  {
    name: "approve",
    value: "<rule>",
    description: "calls that you allow one by one: irreversible, a tool, or bash:git push*; may be repeated",
    repeats: true,
  },
  {
    name: "approval-timeout",
    value: "<time>",
    description: "after which such a call counts as denied (default: 24h)",
    parse: duration("--approval-timeout", 1000),
  },
  {
    name: "unattended",
    description: "nobody is there: defaults count at once, what needs a person is denied",
  },
];

/** @throws NightshiftError `E_USAGE` for a rule that names nothing there is */
export function peoplePolicy(flags: PeopleFlags, file: Pick<ConfigFile, "approve">): Partial<SessionPolicy> {
  const named = file.approve ?? [];
  const rules = [...(typeof named === "string" ? [named] : named), ...(flags.approve ?? [])];
  const wrong = wrongRule(rules, TOOL_NAMES);
  if (wrong !== undefined) {
    throw new NightshiftError("E_USAGE", `"${wrong}" is no rule for approvals`, {
      hint: `A rule is irreversible, a tool (${TOOL_NAMES.join(", ")}), or a tool with a pattern: "bash:git push*".`,
    });
  }
  return {
    ...(rules.length > 0 && { approve: [...new Set(rules)] }),
    ...(flags.approvalTimeout !== undefined && { approval_ms: flags.approvalTimeout }),
    ...(flags.unattended === true && { questions: "none" as const }),
  };
}
