/** A harness in a process of its own, for the cases in which one is killed: it sends a request and waits. */
import { readFileSync } from "node:fs";
import type { ExecRequest, SandboxHandle } from "./contract.ts";
import { createProcessBackend } from "./process.ts";

interface HarnessTask {
  readonly folder: string;
  readonly handle: SandboxHandle;
  readonly epoch: number;
  readonly request: ExecRequest;
}

const task = JSON.parse(readFileSync(0, "utf8")) as HarnessTask;
const { signal } = new AbortController();
const sandbox = await createProcessBackend({ folder: task.folder }).attach(task.handle, task.epoch, signal);
const reply = sandbox.execute(task.request, { signal });
process.stdout.write("sent\n");
await reply;
sandbox.detach();
