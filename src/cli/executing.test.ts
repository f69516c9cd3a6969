import { expect, test } from "vitest";
import { executedBy } from "./executing.ts";

const changed = (path: string, isExecutable = false) => ({ path, change: "modified", isExecutable });

test.each([
  [".husky/pre-commit", "git hook"],
  [".pre-commit-config.yaml", "git hook"],
  ["sub/.envrc", "shell environment"],
  [".vscode/tasks.json", "editor task"],
  [".devcontainer/devcontainer.json", "editor task"],
  [".claude/settings.json", "agent settings"],
  ["packages/a/AGENTS.md", "agent settings"],
  [".mcp.json", "agent settings"],
  [".github/workflows/ci.yml", "CI"],
  [".npmrc", "package manager"],
  [".gitattributes", "package manager"],
  ["packages/a/package.json", "package scripts"],
  ["Makefile", "build file"],
  ["setup.py", "build file"],
  ["Dockerfile", "build file"],
  ["tests/conftest.py", "code that tools load"],
  ["vite.config.ts", "code that tools load"],
  ["scripts/release.sh", "script"],
])("%s is a %s", (path, kind) => {
  expect(executedBy(changed(path))).toBe(kind);
});

test.each(["src/index.ts", "README.md", "src/makefile.ts", "docs/package.json.md", "github/a.yml"])(
  "%s runs by nothing by itself",
  (path) => {
    expect(executedBy(changed(path))).toBeNull();
  },
);

test("whatever may be executed is named, and what is gone is not", () => {
  expect(executedBy(changed("bin/tool", true))).toBe("executable file");
  expect(executedBy({ path: "Makefile", change: "deleted", isExecutable: false })).toBeNull();
});
