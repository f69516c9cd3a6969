import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const HARNESS = fileURLToPath(new URL("./leaky-harness.ts", import.meta.url));

/** The number of what was left open; higher than those that Node closes by itself. */
const LEAKED = "77";

test.each(["bubblewrap", "process"])(
  "what somebody has left open for the harness does not reach a command in %s",
  { timeout: 60_000 },
  async (kind) => {
    const script = `exec ${LEAKED}< /; exec "$@"`;
    const argv = [
      "-c",
      script,
      "bash",
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      HARNESS,
      kind,
    ];
    const { stdout } = await promisify(execFile)("bash", argv);
    const { own, inside } = JSON.parse(stdout);
    expect(own, "the harness has it").toContain(LEAKED);
    expect(inside).toContain("1");
    expect(inside).not.toContain(LEAKED);
  },
);
