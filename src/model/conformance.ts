/** The model contract as cases, for every adapter: `nightshift conformance model --backend <name>`. */
import type { ConformanceCase } from "../core/conformance.ts";
import { answerCases } from "./conformance/answers.ts";
import { failureCases } from "./conformance/failures.ts";
import { requestCases } from "./conformance/requests.ts";
import type { ModelSubject } from "./conformance/subject.ts";

export type { ModelRig, ModelSubject } from "./conformance/subject.ts";

/** All cases of the model seam. */
export const modelConformance: readonly ConformanceCase<ModelSubject>[] = [
  ...answerCases,
  ...requestCases,
  ...failureCases,
];
