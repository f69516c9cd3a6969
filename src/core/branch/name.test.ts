import { expect, test } from "vitest";
import { asSessionId } from "../ids.ts";
import { branchName, slugOf } from "./name.ts";

test.each([
  ["Fix the failing tests!", "fix-the-failing-tests"],
  ["Größe: café über alles", "grosse-cafe-uber-alles"],
  ["../../etc/passwd", "etc-passwd"],
  ["-f --hard HEAD~1", "f-hard-head-1"],
  ["修复测试", "work"],
  ["", "work"],
  ["one two three four five six seven eight nine ten", "one-two-three-four-five-six-seven-eight"],
  ["a".repeat(90), "a".repeat(40)],
])("%j is called %j", (title, slug) => {
  expect(slugOf(title)).toBe(slug);
});

test("a branch has the end of the session's id, which is by chance", () => {
  const session = asSessionId("sesn_0mk3j2a9xqwertyuiop12345");
  expect(branchName("fix", session)).toBe("nightshift/fix-p12345");
});
