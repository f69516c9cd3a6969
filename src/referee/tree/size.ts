/** How much a candidate changes, against what the contract allows without a person's look. Pure. */
import type { Contract, Finding } from "../../core/contract/contract.ts";
import type { ChangedFile } from "../../workspace/contract.ts";
import { WHOLE_TREE } from "../review.ts";
import { nameOf } from "./difference.ts";
import { finding } from "./finding.ts";

/** What package managers write, and nobody reads line by line. */
const LOCKFILE =
  /^(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum|go\.work\.sum|.+\.lock|bun\.lockb)$/;

/** One finding about all files, with the figures; none without limits, or within them. */
export function findOversize(
  { files, lines }: Pick<Contract["limits"], "files" | "lines">,
  changed: readonly ChangedFile[],
): Finding[] {
  const counted = changed.filter(({ path }) => !LOCKFILE.test(nameOf(path)));
  const lineCount = counted.reduce((sum, { added, removed }) => sum + (added ?? 0) + (removed ?? 0), 0);
  const over = [
    ...(files !== undefined && changed.length > files ? [`${changed.length} files, of ${files}`] : []),
    ...(lines !== undefined && lineCount > lines ? [`${lineCount} lines, of ${lines}`] : []),
  ];
  return over.length === 0
    ? []
    : [finding("size", WHOLE_TREE, "review", `more is changed than was agreed: ${over.join("; ")}`)];
}
