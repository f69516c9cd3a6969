import { describe, test } from "vitest";
import { systemClock } from "../../src/runtime/system.ts";
import { bubblewrapSubjects } from "../../src/sandbox/bubblewrap-subjects.ts";
import { sandboxConformance, sandboxSkips } from "../../src/sandbox/conformance.ts";
import { processSubjects } from "../../src/sandbox/process-subjects.ts";

const subjects = [...processSubjects(systemClock), ...bubblewrapSubjects(systemClock)];

describe.each(subjects)("$kind", (subject) => {
  const without = new Set(sandboxSkips(subject).map(({ name }) => name));
  const cases = sandboxConformance.filter(({ name }) => !without.has(name));
  test.each(cases)("$name", { timeout: 60_000 }, (each) => each.run(subject));
});
