import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { bodiesOf, type LoggedEvent, Place } from "./place.ts";

const PORT = 4711;
const SERVER = `import { createServer } from "node:http";\ncreateServer((_, answer) => answer.end("hello")).listen(${PORT});\n`;
const CHECK = `const answer = await fetch("http://localhost:${PORT}").then((each) => each.text());\nconsole.log("it says", answer);\nprocess.exit(answer === "mended" ? 0 : 1);\n`;

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

async function needsIsolation(context: TestContext): Promise<void> {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
}

function project(server: string): void {
  place.write("server.mjs", server);
  place.write("check.mjs", CHECK);
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  for (const words of [
    ["init", "-q"],
    ["add", "."],
    ["commit", "-qm", "base"],
  ])
    execFileSync("git", [...who, ...words], { cwd: place.project });
}

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });

/** A run under a contract whose check asks a service. */
function words(sandbox: string, turns: readonly ScriptTurn[]): readonly string[] {
  const contract = {
    criteria: [{ description: "The server says that it is mended.", check: "node check.mjs" }],
    services: [{ argv: ["node", "server.mjs"], ready: { port: PORT }, within_ms: 10_000 }],
    setup: [],
  };
  place.write("../contract.json", JSON.stringify(contract));
  const model = place.script({ turns: [...turns] }, "../script.json");
  const choice = ["--sandbox", sandbox, "--model", model, "--contract", "../contract.json"];
  return ["run", "mend the server", ...choice];
}

function answers(events: readonly LoggedEvent[]): string[] {
  return bodiesOf(events, "agent.tool_result").map(({ content }) => JSON.stringify(content));
}

describe("the services of a contract, beside the agent's commands", { timeout: 240_000 }, () => {
  test("are there from the first command on, and for the checks", async (context) => {
    await needsIsolation(context);
    project(SERVER);
    // In a command of its own: the words of the other one name the server, too.
    const end = "pkill -f 'node server[.]mjs'; sed -i s/hello/mended/ server.mjs";
    const again =
      "(node server.mjs > log 2>&1 &); for i in $(seq 50); do node check.mjs && break; sleep 0.2; done";
    const running = place.start(
      words("bubblewrap", [bash("node check.mjs"), bash(end), bash(again), { text: "Done." }]),
    );
    const session = await running.says(/session {2}(sesn_\w+)/);
    const ending = await running.ended;
    expect(ending.code, ending.stdout + ending.stderr).toBe(0);
    const events = await place.events(session);
    const [first, , last] = answers(events);
    expect(first).toContain("it says hello");
    expect(last).toContain("it says mended");
    expect(bodiesOf(events, "sandbox.services_ready")).toHaveLength(1);
    // It was ended by the agent.
    expect(bodiesOf(events, "sandbox.services_failed")).toMatchObject([{ reason: "ended" }]);
    await place.expectSound();
  });

  test.each([
    [
      "one that cannot begin",
      "bubblewrap",
      `throw new Error("no database");\n`,
      /ended with exit 1[\s\S]*no database/,
    ],
    ["one in a sandbox without ports of its own", "process", SERVER, /shares its ports with the machine/],
  ] as const)("%s is told to the agent, who goes on", async (_name, sandbox, server, told) => {
    const chosen = await chooseSandbox(process.env).catch(() => undefined);
    if (sandbox === "bubblewrap" && chosen !== "bubblewrap") return;
    project(server);
    const content = SERVER.replace("hello", "mended");
    const mend: ScriptTurn = { tools: [{ name: "write", input: { file_path: "server.mjs", content } }] };
    const running = place.start(words(sandbox, [bash("echo runs"), mend, { text: "Done." }]));
    const session = await running.says(/session {2}(sesn_\w+)/);
    const ending = await running.ended;
    const events = await place.events(session);
    expect(answers(events)[0], ending.stdout + ending.stderr).toContain("runs");
    const [failed] = bodiesOf(events, "sandbox.services_failed");
    expect(JSON.stringify(failed?.content)).toMatch(told);
    expect(ending.code, ending.stdout + ending.stderr).toBe(0);
    await place.expectSound();
  });
});
