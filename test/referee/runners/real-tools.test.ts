/** Runners without a reporter of the harness's, with the real tools: what they print is what is parsed. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import type { Surroundings } from "../../../src/referee/parts.ts";
import { temporaryFolder } from "../../support/repositories.ts";
import { Court, check, contractOf } from "../court.ts";

interface Project {
  readonly files: Readonly<Record<string, string>>;
  readonly honest: Readonly<Record<string, string>>;
  /** Of the test that is to be earned. */
  readonly weakened: string;
  readonly deleted: string;
  /** Ends the program with 0 before it has tested anything, in a source and in a new file of tests. */
  readonly exiting: readonly Readonly<Record<string, string>>[];
  readonly passing: string;
  readonly failing: string;
}

const GO: Project = {
  files: {
    "go.mod": "module example.test/sum\n\ngo 1.19\n",
    "sum.go": "package sum\n\nfunc Add(a, b int) int { return a - b }\n",
    "sum_test.go":
      'package sum\n\nimport "testing"\n\nfunc TestZero(t *testing.T) {\n\tif Add(4, 0) != 4 {\n\t\tt.Fatal("zero")\n\t}\n}\n\n' +
      'func TestAdds(t *testing.T) {\n\tif Add(2, 2) != 4 {\n\t\tt.Fatal("adds")\n\t}\n}\n',
  },
  honest: { "sum.go": "package sum\n\nfunc Add(a, b int) int { return a + b }\n" },
  weakened: "sed -i 's/Add(2, 2) != 4/Add(2, 2) != 0/' sum_test.go",
  deleted: "sed -i '/func TestAdds/,$d' sum_test.go",
  exiting: [
    {
      "sum.go":
        'package sum\n\nimport "os"\n\nfunc init() { os.Exit(0) }\n\nfunc Add(a, b int) int { return a - b }\n',
    },
    {
      "main_test.go":
        'package sum\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(0) }\n',
    },
  ],
  passing: '"example.test/sum › TestZero"',
  failing: '"example.test/sum › TestAdds"',
};

const CARGO: Project = {
  files: {
    "Cargo.toml": '[package]\nname = "sum"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "sum"\nversion = "0.1.0"\n',
    "src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n",
    "tests/sum.rs":
      "use sum::add;\n\n#[test]\nfn zero() {\n    assert_eq!(add(4, 0), 4);\n}\n\n#[test]\nfn adds() {\n    assert_eq!(add(2, 2), 4);\n}\n",
  },
  honest: { "src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n" },
  weakened: "sed -i 's/add(2, 2), 4/add(2, 2), 0/' tests/sum.rs",
  deleted: "sed -i '7,$d' tests/sum.rs",
  exiting: [
    { "src/lib.rs": "pub fn add(_a: i32, _b: i32) -> i32 {\n    std::process::exit(0)\n}\n" },
    { "tests/exits.rs": "#[test]\nfn exits() {\n    std::process::exit(0);\n}\n" },
  ],
  passing: '"tests/sum.rs › zero"',
  failing: '"tests/sum.rs › adds"',
};

/** With a place of their own for what is built, so that nothing is built twice. */
async function surroundings(): Promise<Surroundings> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "go"));
  const home = homedir();
  return {
    mounts: [],
    environment: {
      PATH: process.env.PATH ?? "",
      GOCACHE: join(folder, "go"),
      GOFLAGS: "-mod=mod",
      GOPROXY: "off",
      CARGO_HOME: process.env.CARGO_HOME ?? join(home, ".cargo"),
      RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(home, ".rustup"),
      CARGO_NET_OFFLINE: "true",
    },
  };
}

function needs(tool: string, context: TestContext): void {
  const { status } = spawnSync(tool, [tool === "go" ? "version" : "--version"], { stdio: "ignore" });
  if (status !== 0) context.skip(`${tool} is not on this machine`);
}

const RUNNERS: readonly (readonly [string, Project])[] = [
  ["go", GO],
  ["cargo", CARGO],
];

describe.each(RUNNERS)("%s test", (tool, project) => {
  const words = tool === "go" ? ["go", "test", "./..."] : ["cargo", "test", "--offline"];
  const tests = contractOf({ id: "tests", check: check(...words) });

  test("honest work is met; tests that are weakened, gone or never come to are not", async (context) => {
    needs(tool, context);
    const here = await surroundings();
    const court = await Court.open("process", project.files, { surroundings: async () => here });
    const preflight = await court.preflight(tests);
    expect(preflight.problems).toEqual([]);
    const { passing, failing } = project;
    expect(preflight.criteria).toMatchObject([{ role: "earn", passing, failing }]);
    const judged = async (commit: string) => await court.verdict(tests, commit, { preflight });

    for (const files of project.exiting) {
      const verdict = await judged(await court.put(files));
      expect(verdict.outcome, String(verdict.content[0]?.text)).toBe("unmet");
      await court.work(
        Object.keys(files)
          .map((path) => `rm ${path}`)
          .join("\n"),
      );
      await court.put(project.files);
    }
    for (const script of [project.weakened, project.deleted]) {
      const verdict = await judged(await court.work(script));
      expect(verdict.outcome, String(verdict.content[0]?.text)).toBe("review");
      expect(verdict.review).toMatchObject([{ path: expect.stringMatching(/sum(_test\.go|\.rs)$/) }]);
      await court.put(project.files);
    }
    const met = await judged(await court.put(project.honest));
    expect(met.outcome, String(met.content[0]?.text)).toBe("met");
    expect(met.criteria).toMatchObject([{ strength: "printed" }]);
    expect(met.gaps.join()).toContain("written where tests can write too, so it could be forged");
  });
});
