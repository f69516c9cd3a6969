import { afterEach, beforeEach, expect, test } from "vitest";
import { bodiesOf, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

async function runCommand(
  command: string,
  ...flags: string[]
): Promise<{ body: object | undefined; stdout: string }> {
  const model = place.script({
    turns: [{ tools: [{ name: "bash", input: { command } }] }, { text: "I see." }],
  });
  const { code, stdout, stderr } = await place.run(["run", "x", "--model", model, ...flags]);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("I see.");
  const session = /sesn_\w+/.exec(stdout)?.[0] ?? "";
  const [body] = bodiesOf(await place.events(session), "agent.tool_result");
  await place.expectSound();
  return { body, stdout };
}

test("a tool that prints 1 GB: what is dropped is counted, and the log stays small", async () => {
  const { body, stdout } = await runCommand("head -c 1000000000 /dev/zero | tr '\\0' x");
  expect(body).toMatchObject({ ending: "exited", exit_code: 0, is_error: false });
  expect((body as { dropped_bytes: number }).dropped_bytes).toBeGreaterThan(999_000_000);
  expect(JSON.stringify(body).length).toBeLessThan(200_000);
  expect(stdout.length).toBeLessThan(5_000);
}, 60_000);

test("a tool that never ends is killed after its time, with everything it started", async () => {
  const { body, stdout } = await runCommand("sleep 1000 & sleep 1000", "--tool-timeout", "500ms");
  expect(body).toMatchObject({ ending: "timed_out", is_error: true, in_doubt: false });
  expect(stdout).toMatch(/bash {5}killed after .*: it ran longer than its limit/);
});

test("a tool that prints terminal commands and binary data is shown safely and kept", async () => {
  const { body, stdout } = await runCommand("printf '\\033[2Jgone\\0\\377\\n'");
  expect(stdout).toMatch(/bash {5}ok, .* \| gone/);
  expect(stdout).not.toContain("\u001b");
  expect(JSON.stringify(body)).toContain("\\u001b[2Jgone");
});
