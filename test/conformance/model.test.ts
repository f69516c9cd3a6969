import { describe, test } from "vitest";
import { modelConformance } from "../../src/model/conformance.ts";
import { modelSubjects } from "../../src/model/scripted-subjects.ts";
import { systemClock } from "../../src/runtime/system.ts";

describe.each(modelSubjects(systemClock))("$kind", (subject) => {
  test.each(modelConformance)("$name", (each) => each.run(subject));
});
