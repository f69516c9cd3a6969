import { beforeEach, describe, test } from "vitest";
import { systemClock } from "../../src/runtime/system.ts";
import { sandboxConformance } from "../../src/sandbox/conformance.ts";
import { diagnoseDocker } from "../../src/sandbox/diagnosis/docker.ts";
import { createDiagnosisHost } from "../../src/sandbox/diagnosis/host.ts";
import { dockerSubjects } from "../../src/sandbox/docker-subjects.ts";

const { PATH: path, DOCKER_HOST: dockerHost } = process.env;
const diagnosis = await diagnoseDocker(createDiagnosisHost({ path, dockerHost }));

describe.each(dockerSubjects(systemClock))("$kind", (subject) => {
  beforeEach((context) => {
    if (diagnosis.code !== "ready") context.skip(`no Docker engine to use: ${diagnosis.text}`);
  });

  test.each(sandboxConformance)("$name", { timeout: 120_000 }, (each) => each.run(subject));
});
