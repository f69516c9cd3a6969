/** What the linter says. */
/** What can be wrong. */
export type LintCode =
  | "no-goal"
  | "nothing-to-verify"
  | "vague"
  | "restates"
  | "empty-rubric-line"
  | "cannot-fail"
  | "cannot-pass"
  | "never-ends"
  | "passes-without-tests"
  | "rewrites-snapshots"
  | "same-check"
  | "goal-unchecked"
  | "bad-id"
  | "duplicate-id"
  | "unknown-need"
  | "needs-cycle"
  | "path-outside"
  | "protects-nothing"
  | "protects-everything"
  | "too-large";

/** One thing that is wrong. */
export interface LintComplaint {
  /** Id of the criterion; null for the contract as a whole. */
  readonly criterion: string | null;
  readonly code: LintCode;
  /** `refuse`: such a contract is not sealed. */
  readonly severity: "refuse" | "warn";
  /** One sentence without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** Longest part of somebody's text in a message. */
const SHOWN_MAX = 80;

/** One line of a text, for a message. */
export function shown(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX - 1)}…` : line;
}

/** Refuses the contract. */
export function refusal(
  criterion: string | null,
  code: LintCode,
  message: string,
  fix: string,
): LintComplaint {
  return { criterion, code, severity: "refuse", message, fix };
}

/** Only says it. */
export function warning(
  criterion: string | null,
  code: LintCode,
  message: string,
  fix: string,
): LintComplaint {
  return { criterion, code, severity: "warn", message, fix };
}
