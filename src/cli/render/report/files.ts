/** Changed files, by what looking at them is worth: what runs by itself first, then by kind and churn. */
import type { ChangedFile } from "../../../workspace/contract.ts";
import { executedBy } from "../../executing.ts";

/** A changed file and why somebody should look at it. */
export interface RankedFile {
  readonly file: ChangedFile;
  readonly kind: FileKind;
  /** What of the reader's machine runs it; null for nothing by itself. */
  readonly executedBy: string | null;
  readonly risk: number;
}

/** What a file is, by its name. */
export type FileKind =
  | "executes"
  | "test"
  | "dependencies"
  | "configuration"
  | "binary"
  | "code"
  | "documentation";

const TEST =
  /(^|\/)(tests?|__tests__|specs?|testdata|fixtures)\/|(\.|_)(test|spec)\.[^/]+$|(^|\/)test_[^/]+\.py$|_test\.go$/;
const DEPENDENCIES =
  /(^|\/)([^/]*lock(file)?(\.json|\.yaml)?|package\.json|requirements[^/]*\.(txt|in)|pyproject\.toml|Cargo\.toml|go\.(mod|sum)|npm-shrinkwrap\.json)$/i;
const CONFIGURATION = /\.(json5?|ya?ml|toml|ini|cfg|conf|env|properties)$|(^|\/)\.[^/]+$/;
const DOCUMENTATION = /\.(md|markdown|rst|txt|adoc)$|(^|\/)(docs?|LICENSE[^/]*|CHANGELOG[^/]*)(\/|$)/i;

/** How much more than churn the kind says. */
const WEIGHTS: { readonly [kind in FileKind]: number } = {
  executes: 1000,
  test: 60,
  dependencies: 50,
  binary: 40,
  configuration: 30,
  code: 20,
  documentation: 0,
};
const DELETED = 10;

/** The riskiest first; equals as they were given. */
export function rankFiles(changed: readonly ChangedFile[]): RankedFile[] {
  return changed.map(rank).sort((one, other) => other.risk - one.risk);
}

function rank(file: ChangedFile): RankedFile {
  const by = executedBy(file);
  const kind = by === null ? kindOf(file) : "executes";
  const churn = (file.added ?? 0) + (file.removed ?? 0);
  const risk = WEIGHTS[kind] + 8 * Math.log2(1 + churn) + (file.change === "deleted" ? DELETED : 0);
  return { file, kind, executedBy: by, risk };
}

function kindOf({ path, added, change }: ChangedFile): FileKind {
  if (TEST.test(path)) return "test";
  if (DEPENDENCIES.test(path)) return "dependencies";
  if (added === null && change !== "deleted") return "binary";
  if (DOCUMENTATION.test(path)) return "documentation";
  return CONFIGURATION.test(path) ? "configuration" : "code";
}
