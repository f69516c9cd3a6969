/** Parts of files of tests, as data. */

/** Why a case is not run, or others are not. */
export type Mark = "skip" | "todo" | "only";

/** One thing that is demanded. All texts are normalised. */
export interface Assertion {
  /** What is looked at. */
  readonly subject: string;
  /** How: `toBe`, `strictEqual`, `==`. */
  readonly matcher: string;
  /** What it has to be; empty for none. */
  readonly expected: string;
}

/** A part of a file of tests. */
export interface TestItem {
  /** `import`: one name of one module; `other`: any other statement outside of cases. */
  readonly kind: "case" | "suite" | "import" | "other";
  /** Titles of the suites around it, outermost first. */
  readonly suites: readonly string[];
  /** Title of a case or suite; else empty. */
  readonly title: string;
  /** Normalised. Of a suite only what is before its content. */
  readonly text: string;
  readonly marks: readonly Mark[];
  /** Names that it defines; null: it does more than to define names. */
  readonly defines: readonly string[] | null;
  readonly assertions: readonly Assertion[];
}

/** Names a case for people. */
export function titleOf({ suites, title }: TestItem): string {
  return [...suites, title].join(" › ");
}
