import { describe, expect, test } from "vitest";
import type { Json } from "../core/text.ts";
import type { Effect } from "./contract.ts";
import { needsApproval, wrongRule } from "./permission.ts";

const asks = (rule: string, name: string, input: Json, effect: Effect = "side_effect"): boolean =>
  needsApproval([rule], { name, input, effect });

describe("a rule", () => {
  test.each([
    "git push",
    "git push origin main",
    "cd repo && git push",
    "git -C repo push",
    "sudo -u deploy /usr/bin/git push --force",
    "bash -c 'git push'",
    "echo $(git push)",
    "git -c a=b push",
  ])("bash:git push* asks about %j", (command) => {
    expect(asks("bash:git push*", "bash", { command })).toBe(true);
  });

  test.each(["git status", "git pull", "echo 'git push'", "git log --grep push"])(
    "bash:git push* lets %j run",
    (command) => expect(asks("bash:git push*", "bash", { command })).toBe(false),
  );

  test.each([
    ["bash", "bash", { command: "true" }, true],
    ["bash", "write", { path: "a" }, false],
    ["write:deploy/*", "write", { path: "deploy/prod.yaml" }, true],
    ["write:deploy/*", "write", { path: "./deploy/prod.yaml" }, true],
    ["write:deploy/*", "write", { path: "src/deploy.ts" }, false],
    ["write:*.yaml", "edit", { path: "a.yaml" }, false],
    ["bash:*secret*", "bash", { command: "cat my.secret.txt" }, true],
    ["bash:make [a]", "bash", { command: "make a" }, false],
    ["write:x", "write", null, true],
  ] as const)("%s on %s %j: %s", (rule, name, input, expected) => {
    expect(asks(rule, name, input as Json)).toBe(expected);
  });

  test("irreversible is about the effect", () => {
    expect(asks("irreversible", "bash", { command: "git push" }, "irreversible")).toBe(true);
    expect(asks("irreversible", "bash", { command: "ls" }, "side_effect")).toBe(false);
  });

  test("that names nothing there is, is found", () => {
    expect(wrongRule(["irreversible", "bash", "bash:git push*"], ["bash"])).toBeUndefined();
    for (const rule of ["", "hammer", "bash:", "Bash", "irreversible:x y", "hammer:*"])
      expect(wrongRule([rule], ["bash"])).toBe(rule);
  });
});
