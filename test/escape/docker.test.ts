import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/runtime/system.ts";
import { diagnoseDocker } from "../../src/sandbox/diagnosis/docker.ts";
import { createDiagnosisHost } from "../../src/sandbox/diagnosis/host.ts";
import { dockerSubjects } from "../../src/sandbox/docker-subjects.ts";
import { ATTEMPTS } from "./attempts.ts";
import { EscapeWorld } from "./world.ts";

const { PATH: path, DOCKER_HOST: dockerHost } = process.env;
const diagnosis = await diagnoseDocker(createDiagnosisHost({ path, dockerHost }));

describe.each(dockerSubjects(systemClock))("in $kind", (subject) => {
  test.for(ATTEMPTS)("nobody $name", { timeout: 120_000 }, async ({ run }, { skip }) => {
    if (diagnosis.code !== "ready") skip(`no Docker engine to use: ${diagnosis.text}`);
    await using world = await EscapeWorld.open(subject);
    expect(await run(world), "the attempt has succeeded").toBe(false);
    expect(await world.answers(), "the sandbox lives").toBe(true);
  });
});
