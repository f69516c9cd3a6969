/** Lines that people write about what has to be true. */
import type { ChoreKind } from "../detect/contract.ts";

const COMMAND_PASSES =
  /^(?:run(?:ning)?\s+|the command\s+)?`([^`]+)`\s+(?:passes|succeeds|is green|runs? clean(?:ly)?|(?:exits|ends|finishes)(?: cleanly)?(?: with)?(?: (?:code )?(?:0|zero|success))?|works|runs without errors?)\s*[.!]?$/i;

/** The command of a line such as "`npm run build` passes"; undefined for any other line. */
export function checkInLine(line: string): string | undefined {
  return COMMAND_PASSES.exec(line.trim())?.[1];
}

/** A kind of command that a line names without saying which it is. */
export type NamedChore = ChoreKind | "test";

const CHORES: readonly (readonly [RegExp, NamedChore])[] = [
  [
    /^(all |the |unit |existing |full )*(tests?|test suite)( all| still)? (pass(es)?|succeeds?|(is|are) green)[.!]?$/i,
    "test",
  ],
  [
    /^(the )?(type-?check(s|ing)?|types?|tsc)( still)? (pass(es)?|succeeds?|check|is clean)[.!]?$/i,
    "typecheck",
  ],
  [/^(the )?(lint(er|ing)?|eslint)( still)? (pass(es)?|succeeds?|is clean)[.!]?$/i, "lint"],
  [
    /^(the )?(build|project builds|app builds|code compiles)( still)?( (pass(es)?|succeeds?|works|without errors))?[.!]?$/i,
    "build",
  ],
];

/** The kind of command that has to pass, for lines such as "Typecheck passes". */
export function choreInLine(line: string): NamedChore | undefined {
  return CHORES.find(([pattern]) => pattern.test(line.trim()))?.[1];
}

/** True for steps that look at something rather than do something. */
export function isObservation(step: string): boolean {
  return /^(\d+[.)]\s*)?(verify|check|confirm|ensure|assert|expect|validate|observe|see|make sure|it should)\b/i.test(
    step.trim(),
  );
}
