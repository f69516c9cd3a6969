// A process is killed in the middle of a model's answer, and this one carries the session on from its log.
//
//   npx node examples/resume-after-kill.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSession, event, follow, isSessionId, openHarness, sessionConfig, wake } from "nightshift";

const SLOW_ANSWER = {
  text: "I am counting: one, two, three, four, five.",
  chunk_chars: 2,
  chunk_delay_ms: 50,
};

/** The victim: wakes the session that it is told, and would drive it to its end. */
async function drive(folder: string, session: string): Promise<void> {
  if (!isSessionId(session)) throw new Error(`${session} is no session`);
  await using harness = await openHarness({ stateFolder: folder });
  await wake(harness, session);
}

async function main(folder: string): Promise<void> {
  writeFileSync(join(folder, "script.json"), JSON.stringify({ turns: [SLOW_ANSWER] }));
  await using harness = await openHarness({ stateFolder: folder });
  const session = await createSession(
    harness,
    sessionConfig({ model: `scripted:${join(folder, "script.json")}`, workspace: folder, tools: [] }),
    [event("user.message", { content: [{ type: "text", text: "Count." }] })],
  );

  const victim = spawn(process.execPath, [fileURLToPath(import.meta.url), folder, session], {
    stdio: "inherit",
  });
  for await (const item of follow(harness.store, session, {
    after: 0,
    signal: AbortSignal.timeout(20_000),
  })) {
    if (item.type === "span.model_request_start") break;
  }
  victim.kill("SIGKILL");
  await once(victim, "exit");
  console.log("killed a process in the middle of an answer");

  const result = await wake(harness, session);
  if (result.status === "held") throw new Error("somebody else drives it");
  const { requests, unsettledRequests } = result.state.ledger;
  console.log(`${result.state.phase} after ${requests} requests, ${unsettledRequests} of them lost`);
}

const [folder, session] = process.argv.slice(2);
if (folder !== undefined && session !== undefined) {
  await drive(folder, session);
} else {
  const temporary = mkdtempSync(join(tmpdir(), "nightshift-example-"));
  try {
    await main(temporary);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
