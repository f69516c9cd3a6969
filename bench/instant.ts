/** Ends of the seams that answer at once, so that what is left is the harness: a model, a sandbox and a tool. */

import type { SandboxId } from "../src/core/ids.ts";
import type { ModelAdapter, ModelPart, ModelRequest } from "../src/model/contract.ts";
import type {
  ExecReply,
  ExecRequest,
  PrepareReply,
  Sandbox,
  SandboxBackend,
  SandboxHandle,
  SandboxSpec,
} from "../src/sandbox/contract.ts";
import type { Tool } from "../src/tool/contract.ts";
import { render } from "./naive.ts";
import type { Workload } from "./workload.ts";

/** The one tool of the workload. */
export const READ_TOOL: Tool = {
  name: "read",
  operation: "read",
  description: {
    name: "read",
    description: "Reads a text file.",
    inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
  effectOf: () => "read_only",
  check: () => undefined,
};

/** Told of every model call; a promise holds the call up. */
export type ModelCall = (turn: number, request: ModelRequest) => Promise<void> | undefined;

/** Answers turn by turn as the workload says. */
export class InstantModel implements ModelAdapter {
  readonly provider = "instant";
  /** Makes a request's JSON at each call, as an adapter would. */
  renders = false;
  readonly #workload: Workload;
  readonly #onCall: ModelCall;

  constructor(workload: Workload, onCall: ModelCall) {
    this.#workload = workload;
    this.#onCall = onCall;
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPart> {
    // A thread begins with one message of a person.
    const turn = (request.messages.length - 1) / 2;
    const held = this.#onCall(turn, request);
    if (held !== undefined) await held;
    if (this.renders) render(request.messages);
    yield { type: "block", block: { type: "text", text: this.#workload.text(turn) } };
    const call = { providerCallId: `call_${turn}`, name: READ_TOOL.name, input: this.#workload.input(turn) };
    yield { type: "block", block: { type: "tool_call", ...call } };
    const usage = { inputTokens: 100, outputTokens: 200, cacheReadTokens: 1000, cacheWriteTokens: 0 };
    yield { type: "finished", stopReason: "tool_use", usage };
  }
}

/** A sandbox inside this process: commands take no time, and nothing outlives it. */
export class InstantBackend implements SandboxBackend {
  readonly kind = "instant";
  readonly #workload: Workload;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  async provision(spec: SandboxSpec): Promise<{ handle: SandboxHandle; incarnation: string }> {
    return { handle: { id: spec.id }, incarnation: "1" };
  }

  async attach(handle: SandboxHandle): Promise<Sandbox> {
    return new InstantSandbox(handle.id as SandboxId, this.#workload);
  }

  async destroy(): Promise<void> {}
}

class InstantSandbox implements Sandbox {
  readonly id: SandboxId;
  readonly incarnation = "1";
  readonly #workload: Workload;

  constructor(id: SandboxId, workload: Workload) {
    this.id = id;
    this.#workload = workload;
  }

  async execute(request: ExecRequest): Promise<ExecReply> {
    const output = this.#workload.result(this.#workload.turnOf(request.input));
    return {
      status: "finished",
      result: { ending: "exited", exitCode: 0, output, droppedBytes: 0, durationMs: 0 },
    };
  }

  async prepare(): Promise<PrepareReply> {
    return { status: "refused", reason: "this sandbox only reads" };
  }

  async cancel(): Promise<void> {}

  detach(): void {}
}
