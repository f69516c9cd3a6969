// Opens a log in a process that has done nothing else, and stops at the next model call.
import { wake } from "../src/runtime/wake.ts";
import { InstantModel } from "./instant.ts";
import { createHarness } from "./loop.ts";
import { resumeNaively } from "./naive.ts";
import { answer, childArgument } from "./processes.ts";
import { openStore } from "./store.ts";
import type { WakeAnswer, WakeChild } from "./wake.ts";
import { Workload } from "./workload.ts";

const child = childArgument<WakeChild>();
answer(child.kind === "ours" ? await resume(child) : resumeNaive(child));

async function resume({ folder, sessionId }: Extract<WakeChild, { kind: "ours" }>): Promise<WakeAnswer> {
  const workload = new Workload();
  const stop = new AbortController();
  let called: WakeAnswer | undefined;
  const startedMs = performance.now();
  const model = new InstantModel(workload, (_turn, { messages }) => {
    called ??= { ms: performance.now() - startedMs, messages: messages.length };
    stop.abort();
    return new Promise(() => undefined);
  });
  const store = await openStore(folder, "inline");
  await wake(createHarness(store, workload, model), sessionId, { signal: stop.signal });
  await store.close();
  if (called === undefined) throw new Error("the model was never called");
  return called;
}

function resumeNaive({ path }: Extract<WakeChild, { kind: "naive" }>): WakeAnswer {
  const startedMs = performance.now();
  const messages = resumeNaively(path);
  return { ms: performance.now() - startedMs, messages };
}
