import { describe, test } from "vitest";
import { systemClock } from "../../src/runtime/system.ts";
import { sandboxConformance } from "../../src/sandbox/conformance.ts";
import { processSubjects } from "../../src/sandbox/process-subjects.ts";

describe.each(processSubjects(systemClock))("$kind", (subject) => {
  test.each(sandboxConformance)("$name", { timeout: 60_000 }, (each) => each.run(subject));
});
