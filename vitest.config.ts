import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { builtModules } from "./test/setup/built-modules.ts";
import { CountReporter } from "./test/setup/count-reporter.ts";
import { suitesOutside } from "./test/setup/long-suites.ts";
import { SkipReporter } from "./test/setup/skip-reporter.ts";

/** They take long, most of them because they make many sandboxes and wait for them, but are good neighbours. */
const sandboxSuites = [
  "test/adversarial/**/*.test.ts",
  "test/conformance/{docker,sandbox}.test.ts",
  "test/environment/**/*.test.ts",
  "test/escape/**/*.test.ts",
  "test/integrity/corruption.test.ts",
  "test/kill/leftovers/**/*.test.ts",
  "test/kill/workspace.test.ts",
  "test/referee/**/*.test.ts",
  "test/repositories/interrupted.test.ts",
  "test/simulator/**/*.test.ts",
];

const heavySuites = ["test/kill/{daemon,harness,zombie}.test.ts", "test/power-loss/**/*.test.ts"];

/** They fetch packages, so they run when they are asked for: `npm run projects`. */
const realProjects = "test/projects/**/*.test.ts";

/** They fetch packages, too, and take many minutes: `npm run proof:repositories`. */
const realRepositories = "test/repositories/proof.test.ts";

const leftOut = suitesOutside(process.env.NIGHTSHIFT_TEST_PART);

/** `npm test` asks for numbers; a bare `vitest` does not. */
function countReporters(): CountReporter[] {
  const path = process.env.NIGHTSHIFT_TEST_COUNTS;
  return path === undefined ? [] : [new CountReporter(path)];
}

const config: ViteUserConfig = defineConfig({
  plugins: builtModules(),
  test: {
    reporters: ["default", new SkipReporter(), ...countReporters()],
    setupFiles: ["./test/setup/no-network.ts"],
    // Most of them wait for processes of their own, so two at a time pay on two cores as well.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...heavySuites, ...sandboxSuites, realProjects, realRepositories, ...leftOut],
          // No module here keeps anything that another file could miss; to load them all once a worker saves a third.
          isolate: false,
          // What takes three seconds takes twenty on a machine that has other work.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "heavy",
          include: heavySuites,
          exclude: [...leftOut],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // These suites measure time and start processes of their own, so they get the machine to themselves.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "sandboxes",
          include: sandboxSuites,
          exclude: [...leftOut],
          isolate: false,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "repositories",
          include: process.env.NIGHTSHIFT_REPOSITORIES === undefined ? [] : [realRepositories],
          testTimeout: 3_600_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        extends: true,
        test: {
          name: "projects",
          include: process.env.NIGHTSHIFT_PROJECTS === undefined ? [] : [realProjects],
          testTimeout: 600_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

export default config;
