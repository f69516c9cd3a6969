// A harness that provisions a sandbox and attaches to it, to be killed at any moment.
import { readFileSync } from "node:fs";
import type { SandboxSpec } from "../../src/sandbox/contract.ts";
import { createProcessBackend } from "../../src/sandbox/process.ts";

const { folder, spec } = JSON.parse(readFileSync(0, "utf8")) as { folder: string; spec: SandboxSpec };
const { signal } = new AbortController();
const backend = createProcessBackend({ folder });
const { handle } = await backend.provision(spec, signal);
const sandbox = await backend.attach(handle, 1, signal);
process.stdout.write("attached\n");
sandbox.detach();
