/** The sandbox contract as cases, for every backend: `nightshift conformance sandbox --backend <name>`. */
import type { ConformanceCase, ConformanceSkip } from "../core/conformance.ts";
import { boundCases } from "./conformance/bounds.ts";
import { epochCases } from "./conformance/epochs.ts";
import { executionCases } from "./conformance/executions.ts";
import { fileCases } from "./conformance/files.ts";
import { incarnationCases } from "./conformance/incarnations.ts";
import { isolationCases } from "./conformance/isolation.ts";
import { killingCases } from "./conformance/killing.ts";
import { lifecycleCases } from "./conformance/lifecycle.ts";
import { limitCases } from "./conformance/limits.ts";
import { lookingCases } from "./conformance/looking.ts";
import { serviceCases } from "./conformance/services.ts";
import type { SandboxSubject } from "./conformance/subject.ts";

export type { OtherHarness, RigOptions, SandboxRig, SandboxSubject } from "./conformance/subject.ts";

/** All cases of the sandbox seam. */
export const sandboxConformance: readonly ConformanceCase<SandboxSubject>[] = [
  ...executionCases,
  ...limitCases,
  ...killingCases,
  ...epochCases,
  ...incarnationCases,
  ...fileCases,
  ...lookingCases,
  ...lifecycleCases,
  ...serviceCases,
  ...isolationCases,
  ...boundCases,
];

/** The cases that make no sense for a subject, by what it says it can do. */
export function sandboxSkips({ isolates }: SandboxSubject): readonly ConformanceSkip[] {
  if (isolates) return [];
  const reason = "this backend isolates nothing and limits nothing";
  return [...isolationCases, ...boundCases].map(({ name }) => ({ name, reason }));
}
