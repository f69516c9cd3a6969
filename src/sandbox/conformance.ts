/** The sandbox contract as cases, for every backend: `nightshift conformance sandbox --backend <name>`. */
import type { ConformanceCase } from "../core/conformance.ts";
import { epochCases } from "./conformance/epochs.ts";
import { executionCases } from "./conformance/executions.ts";
import { fileCases } from "./conformance/files.ts";
import { incarnationCases } from "./conformance/incarnations.ts";
import { killingCases } from "./conformance/killing.ts";
import { lifecycleCases } from "./conformance/lifecycle.ts";
import { limitCases } from "./conformance/limits.ts";
import { lookingCases } from "./conformance/looking.ts";
import type { SandboxSubject } from "./conformance/subject.ts";

export type { OtherHarness, SandboxRig, SandboxSubject } from "./conformance/subject.ts";

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
];
