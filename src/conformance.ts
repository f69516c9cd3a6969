/**
 * The contracts of the seams as cases that run anywhere: bring a subject, run the cases under any test runner, or
 * with {@link runCases}. From a terminal: `nightshift conformance <seam> --backend <name>`.
 */
export type { ConformanceCase, ConformanceSkip } from "./core/conformance.ts";
export { type ModelRig, type ModelSubject, modelConformance } from "./model/conformance.ts";
export { type CaseResult, type RunCasesOptions, runCases } from "./runtime/run-cases.ts";
export {
  type OtherHarness,
  type RigOptions,
  type SandboxRig,
  type SandboxSubject,
  sandboxConformance,
  sandboxSkips,
} from "./sandbox/conformance.ts";
export {
  createStoreSubject,
  type StoreCase,
  type StoreSubject,
  type StoreSurroundings,
  storeConformance,
} from "./store/conformance.ts";
