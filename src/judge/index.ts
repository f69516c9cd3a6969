/** The judge: grades rubrics with a model, and can be tried on artefacts whose grade is known. */
export type { CalibrationParts, CaseResult } from "./calibrate/calibrate.ts";
export { calibrate } from "./calibrate/calibrate.ts";
export { calibrationCases } from "./calibrate/cases.ts";
export { Outage } from "./calibrate/outage.ts";
export type { CalibrationReport, Miss, Rate } from "./calibrate/report.ts";
export { reportOf } from "./calibrate/report.ts";
export type { CalibrationCase, CaseGroup } from "./calibrate/task.ts";
export type {
  Grade,
  GradedLine,
  GradeRequest,
  Judge,
  JudgedChange,
  JudgedCheck,
  JudgeLimits,
  JudgeModel,
  JudgeParts,
} from "./contract.ts";
export { JUDGE_LIMITS } from "./contract.ts";
export { createJudge } from "./judge.ts";
export { createPanel } from "./panel.ts";
