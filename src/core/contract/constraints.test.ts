import { describe, expect, test } from "vitest";
import { checkableConstraints } from "./constraints.ts";

describe("constraints that can be checked", () => {
  const { forbids, keepsDependencies } = checkableConstraints({
    constraints: ["never touch: vendor/**, *.lock", "No new dependencies.", "Never touch: docs", "Be kind."],
  });

  test.each([
    ["vendor/a.js", "never touch: vendor/**, *.lock"],
    ["vendor/deep/a.js", "never touch: vendor/**, *.lock"],
    ["sub/yarn.lock", "never touch: vendor/**, *.lock"],
    ["./vendor/a.js", "never touch: vendor/**, *.lock"],
    ["docs/index.md", "Never touch: docs"],
    ["packages/x/docs/index.md", "Never touch: docs"],
    ["src/vendor.js", null],
    ["src/vendor/a.js", null],
    ["documents/a.md", null],
  ])("%s", (path, constraint) => expect(forbids(path)).toBe(constraint));

  test("dependencies are kept", () => expect(keepsDependencies).toBe("No new dependencies."));

  test("other words bind nobody by rule", () => {
    const none = checkableConstraints({ constraints: ["Please never touch the vendor folder."] });
    expect(none.forbids("vendor/a.js")).toBeNull();
    expect(none.keepsDependencies).toBeNull();
  });
});
