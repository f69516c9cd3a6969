/** Verdicts on the command line: what is printed of them, and how the command ends. */
import type { SessionEvent } from "../core/events/index.ts";
import type { Verdict } from "../referee/findings.ts";
import type { OnFact } from "../referee/parts.ts";
import type { CommandContext, PlaceFlags } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { agreementLines } from "./render/agreement-lines.ts";
import { factLines, singleLine } from "./render/text.ts";

/** Flags of `verify`. */
export interface VerifyFlags extends PlaceFlags {
  readonly commit?: string;
  readonly head?: string;
  readonly rerun?: boolean;
  readonly sandbox?: string;
  readonly json?: boolean;
}

/** Exit codes of verdicts. */
export const OUTCOMES: { readonly [outcome in Verdict["outcome"]]: number } = {
  met: EXIT.ok,
  unmet: EXIT.unmet,
  review: EXIT.person,
  error: EXIT.internal,
};

/** Facts go to whoever watches; nobody keeps them. */
export function watch({ output }: CommandContext): OnFact {
  let seq = 0;
  return (fact) => {
    seq += 1;
    for (const [label, text] of agreementLines({ ...fact, seq, at: 0 } as SessionEvent, false))
      output.note(...factLines(label, singleLine(text), output.width));
    return Promise.resolve(seq);
  };
}

/** Criteria, gaps and outcome, as lines. */
export function sayVerdict({ output }: CommandContext, verdict: Verdict): void {
  const event = { type: "verdict.given", body: verdict, seq: 1, at: 0 } as SessionEvent;
  for (const [label, text] of agreementLines(event, false))
    output.print(...factLines(label, singleLine(text), output.width));
}
