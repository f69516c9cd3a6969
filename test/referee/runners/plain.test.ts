import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCheck } from "./run-check.ts";

const FILES = {
  "run.sh": `echo shown; printf '<testsuite name="s"><testcase name="good"/><testcase name="bad"><failure/></testcase></testsuite>' >"$2"; exit 1`,
};

test("what a program writes where it was told to is read, and its output is shown", async () => {
  const outcome = await runCheck(FILES, "bash run.sh --log-junit build/report.xml");
  expect(outcome).toMatchObject({ exitCode: 1, output: "shown\n" });
  expect(outcome.report).toMatchObject({
    runner: "junit",
    channel: "plain",
    canary: "absent",
    isComplete: true,
  });
  expect(outcome.statuses).toEqual({ "s › good": "passed", "s › bad": "failed" });
});

test("a link in the place of the report is not followed", async () => {
  const outcome = await runCheck(FILES, "bash run.sh --log-junit build/report.xml", {
    meddle: async (exchange) => {
      await rm(join(exchange, "junit.xml"));
      await symlink("/etc/hostname", join(exchange, "junit.xml"));
    },
  });
  expect(outcome.report).toMatchObject({ isComplete: false, tests: [] });
  expect(outcome.report.problems).not.toEqual([]);
});
