/** A harness that was stopped, replaced and continued writes nothing and executes nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SessionId } from "../../src/core/ids.ts";
import { openStore, startSession } from "./harness/campaign.ts";
import { checkOutcome } from "./harness/outcome.ts";

const TURNS = 8;
const LEASE_MS = 1000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nightshift-zombie-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([2, 4, 7])("stopped at its append %i, replaced, and continued", async (stopAt) => {
  const folder = join(root, "state");
  const workspace = mkdtempSync(join(root, "workspace-"));
  await using stack = new AsyncDisposableStack();
  const store = stack.adopt(await openStore(folder), (opened) => opened.close());
  const sessionId = await startSession(store, workspace);

  const zombie = harness(folder, sessionId, workspace);
  await zombie.acknowledged(stopAt);
  zombie.process.kill("SIGSTOP");
  const second = harness(folder, sessionId, workspace);
  // Held until the lease of the stopped one has expired: whoever finds it held asks again.
  let ended = await second.ended;
  while (ended === "held") ended = await harness(folder, sessionId, workspace).ended;
  expect(ended).toBe("rest end_turn");
  const head = (await store.getSession(sessionId))?.seq;
  zombie.process.kill("SIGCONT");
  expect(await zombie.ended).toBe("fenced");

  expect((await store.getSession(sessionId))?.seq).toBe(head);
  const outcome = await checkOutcome({
    store,
    folder,
    workspace,
    sessionId,
    turns: TURNS,
    acknowledged: [],
    kills: 0,
  });
  expect(outcome.problems).toEqual([]);
});

interface Harness {
  readonly process: ChildProcess;
  /** Resolves once it was told `count` times that an append is durable. */
  acknowledged(count: number): Promise<void>;
  /** The last line it printed. */
  readonly ended: Promise<string>;
}

function harness(folder: string, sessionId: SessionId, workspace: string): Harness {
  const script = join(import.meta.dirname, "harness", "child.ts");
  const args = [script, folder, sessionId, workspace, String(TURNS), String(LEASE_MS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let seen = 0;
  let last = "";
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = line;
    if (line.startsWith("ack ")) seen += 1;
    for (const { count, resolve } of waiting) if (seen >= count) resolve();
  });
  return {
    process: child,
    acknowledged: (count) => new Promise((resolve) => waiting.push({ count, resolve })),
    ended: once(child, "close").then(() => last),
  };
}
