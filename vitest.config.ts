import { defineConfig, type ViteUserConfig } from "vitest/config";
import { SkipReporter } from "./test/setup/skip-reporter.ts";

const heavySuites = ["test/kill/**/*.test.ts", "test/simulator/**/*.test.ts", "test/power-loss/**/*.test.ts"];

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ["default", new SkipReporter()],
    setupFiles: ["./test/setup/no-network.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: heavySuites,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "heavy",
          include: heavySuites,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // These suites measure time and start processes of their own, so they get the machine to themselves.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
