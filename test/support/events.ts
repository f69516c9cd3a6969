/** Short names for events, so that a test's log reads like the story it tells. */
import { type EventBody, type EventInput, event } from "../../src/core/events/index.ts";
import { asSessionId, callId, type SessionId, sandboxId, threadId } from "../../src/core/ids.ts";
import { actionHash } from "../../src/core/people/action.ts";
import type { Json } from "../../src/core/text.ts";

/** The session of all core tests. */
export const SESSION: SessionId = asSessionId("sesn_00000001");
/** Its first sandbox. */
export const SANDBOX: string = sandboxId(SESSION, 0);
/** Its first thread. */
export const THREAD: string = threadId(SESSION, 0);
/** Wall-clock time of a log's first event; each later one comes a second after the one before. */
export const START_MS = 1_700_000_000_000;

type Config = EventBody<"session.created">;

/** Parts of a configuration that tests vary. */
export interface Variations {
  readonly limits?: Config["limits"];
  readonly policy?: Partial<Config["policy"]>;
  readonly tools?: readonly string[];
  readonly model?: Partial<Config["agent"]["model"]>;
  readonly checkout?: Config["sandbox"]["checkout"];
  /** A program works, and not the built-in worker. */
  readonly command?: Config["agent"]["command"];
  readonly options?: Config["sandbox"]["options"];
}

/** A configuration with every policy at a round number. */
export function configWith(variations: Variations = {}): Config {
  return {
    title: "test",
    metadata: {},
    agent: {
      name: "tester",
      worker: variations.command === undefined ? "loop" : "command",
      ...(variations.command && { command: variations.command }),
      model: { provider: "scripted", id: "m", max_output_tokens: 1000, ...variations.model },
      system: "Be brief.",
      tools: [...(variations.tools ?? ["shell", "write"])],
    },
    sandbox: {
      backend: "test",
      workspace: "/workspace",
      options: variations.options ?? {},
      ...(variations.checkout && { checkout: variations.checkout }),
    },
    limits: variations.limits ?? {},
    policy: {
      steering: "enqueue",
      idle_timeout_ms: 600_000,
      sandbox_grace_ms: 60_000,
      tool_wall_ms: 120_000,
      model_failures_max: 3,
      no_contact_ms: 60_000,
      ...variations.policy,
    },
  };
}

export const created = (variations?: Variations): EventInput =>
  event("session.created", configWith(variations));

export const said = (text: string, steering?: Config["policy"]["steering"]): EventInput =>
  event("user.message", { content: [{ type: "text", text }], ...(steering && { steering }) });

export const interrupt: EventInput = event("user.interrupt", {});
export const pause: EventInput = event("control.pause", {});
export const resume: EventInput = event("control.resume", {});
export const stop: EventInput = event("control.stop", {});
export const cancel: EventInput = event("control.cancel", {});
export const running: EventInput = event("session.status_running", {});

export const confirmed = (call: string, result: "allow" | "deny", deny_message?: string): EventInput =>
  event("user.tool_confirmation", { call, result, ...(deny_message && { deny_message }) });

/** As the rule asks for an approval when `log` ends with the last event before. */
export const approvalAsked = (
  log: readonly EventInput[],
  call: string,
  more: Partial<EventBody<"approval.requested">> & { readonly name?: string; readonly input?: Json } = {},
): EventInput => {
  const { name = "shell", input = { command: "true" }, ...rest } = more;
  const run = rest.run ?? 1;
  const throughSeq = rest.through_seq ?? log.length;
  const hash = actionHash({ session: SESSION, call, run, name, input, throughSeq });
  return event("approval.requested", {
    ...{ call, run, why: "policy", hash, through_seq: throughSeq },
    expires_at: START_MS + throughSeq * 1000 + 86_400_000,
    ...rest,
  });
};

export const setLimits = (limits: Config["limits"]): EventInput => event("control.set_limits", { limits });

export const idle = (reason: EventBody<"session.status_idle">["stop_reason"]["type"]): EventInput => {
  const rest = {
    requires_action: { calls: ["c1_0"] },
    budget_reached: { cap: "tokens" },
    failed: { code: "E" },
  };
  const more = reason in rest ? rest[reason as keyof typeof rest] : {};
  return event("session.status_idle", {
    stop_reason: { type: reason, ...more } as EventBody<"session.status_idle">["stop_reason"],
  });
};

export const terminated: EventInput = event("session.status_terminated", { reason: "cancelled by a person" });

export const woke = (epoch = 1): EventInput =>
  event("harness.woke", { epoch, owner: "harness-1", version: "0.0.0" });

export const accepted = (...seqs: number[]): EventInput => event("harness.input_accepted", { seqs });

export const rejected = (...seqs: number[]): EventInput =>
  event("harness.input_rejected", {
    seqs,
    reason: "the agent was working, and the policy is reject",
  });

export const threadStart = (from_seq = 2, reason: "start" | "reset" | "upgrade" = "start"): EventInput =>
  event("session.thread_created", {
    session_thread_id: THREAD,
    agent_name: "tester",
    reason,
    renderer: 1,
    system: "Be brief.",
    tools: [],
    model: configWith().agent.model,
    from_seq,
  });

type Start = EventBody<"span.model_request_start">;

export const asked = (request: number, more: Partial<Start> = {}): EventInput =>
  event("span.model_request_start", {
    request,
    session_thread_id: THREAD,
    epoch: 1,
    model: "scripted:m",
    through_seq: 0,
    context_hash: "",
    reservation: { tokens: 1100, cost_micro_usd: 0 },
    ...more,
  });

type End = EventBody<"span.model_request_end">;

export const answered = (request: number, more: Partial<End> = {}): EventInput =>
  event("span.model_request_end", {
    request,
    outcome: "answered",
    is_error: false,
    stop_reason: "end_turn",
    duration_ms: 5,
    model_usage: {
      input_tokens: 100,
      output_tokens: 10,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    },
    ...more,
  });

export const failedWith = (
  request: number,
  errorClass: NonNullable<End["error"]>["class"],
  more: Partial<NonNullable<End["error"]>> = {},
): EventInput =>
  event("span.model_request_end", {
    request,
    outcome: "failed",
    is_error: true,
    error: { class: errorClass, message: `scripted ${errorClass}`, ...more },
    duration_ms: 5,
  });

export const lost = (request: number, duration_ms = 0): EventInput =>
  event("span.model_request_end", { request, outcome: "lost", is_error: true, duration_ms });

export const interrupted = (request: number): EventInput =>
  event("span.model_request_end", { request, outcome: "interrupted", is_error: false, duration_ms: 0 });

export const rescheduled = (resume_at: number, decided_at: number, failures = 1): EventInput =>
  event("session.status_rescheduled", { resume_at, decided_at, failures, error_class: "overloaded" });

export const replied = (request: number, text: string): EventInput =>
  event("agent.message", { request, content: [{ type: "text", text }] });

type Use = EventBody<"agent.tool_use">;

export const called = (
  request: number,
  index: number,
  effect: Use["effect"] = "side_effect",
  more: Partial<Use> = {},
): EventInput =>
  event("agent.tool_use", {
    request,
    call: callId(request, index),
    provider_call_id: `call_${request}_${index}`,
    name: effect === "reconcilable" ? "write" : "shell",
    input: { command: "true" } as Json,
    evaluated_permission: "allow",
    effect,
    ...more,
  });

export const prepared = (call: string, before: string | null, after: string | null): EventInput =>
  event("tool.prepared", { call, path: "/workspace/a", before, after });

type Started = EventBody<"tool.started">;

export const started = (call: string, run = 1, more: Partial<Started> = {}): EventInput =>
  event("tool.started", { call, run, sandbox: SANDBOX, incarnation: "i1", at: START_MS, ...more });

export const inDoubt = (
  call: string,
  run = 1,
  finding: EventBody<"tool.in_doubt">["finding"] = "unknown",
): EventInput => event("tool.in_doubt", { call, run, finding, reason: "the daemon died" });

type Result = EventBody<"agent.tool_result">;

export const result = (call: string, run = 1, more: Partial<Result> = {}): EventInput =>
  event("agent.tool_result", {
    call,
    run,
    content: [{ type: "text", text: `result of ${call}` }],
    is_error: false,
    ending: "exited",
    exit_code: 0,
    duration_ms: 5,
    dropped_bytes: 0,
    in_doubt: false,
    ...more,
  });

export const sandboxRequested = (sandbox: string = SANDBOX): EventInput =>
  event("sandbox.requested", { sandbox, backend: "test" });

export const sandboxReady = (incarnation = "i1", sandbox: string = SANDBOX): EventInput =>
  event("sandbox.ready", { sandbox, incarnation, handle: { at: incarnation } });

/** @param incarnation - absent when it could not be provisioned */
export const sandboxLost = (
  code = "E_SANDBOX_LOST",
  sandbox: string = SANDBOX,
  incarnation?: string,
): EventInput =>
  event("sandbox.lost", { sandbox, reason: "gone", code, ...(incarnation && { incarnation }) });

/** Of the services that {@link servicesRequested} asks for. */
export const SERVICES_HASH: string = "5".repeat(64);

export const servicesRequested = (incarnation = "i1", services: string = SERVICES_HASH): EventInput =>
  event("sandbox.services_requested", { sandbox: SANDBOX, incarnation, services });

export const servicesReady = (incarnation = "i1", sandbox: string = SANDBOX): EventInput =>
  event("sandbox.services_ready", { sandbox, incarnation, duration_ms: 5 });

export const servicesFailed = (incarnation = "i1", sandbox: string = SANDBOX): EventInput =>
  event("sandbox.services_failed", {
    sandbox,
    incarnation,
    argv: ["serve"],
    reason: "ended",
    message: "the service `serve` ended with exit 1",
    content: [{ type: "text", text: "[harness] the service is not there" }],
  });

export const sandboxRescheduled = (
  resume_at: number,
  decided_at: number,
  failures = 1,
  sandbox: string = SANDBOX,
): EventInput => event("sandbox.rescheduled", { sandbox, resume_at, decided_at, failures });

export const BASE = "0".repeat(40);

export const commitOf = (checkpoint: number): string => checkpoint.toString(16).padStart(40, "0");

export const checkpointRequested = (
  number = 1,
  reason: "cadence" | "rest" | "asked" | "verdict" = "cadence",
): EventInput => event("checkpoint.requested", { number, reason });

export const checkpointCreated = (number = 1): EventInput =>
  event("checkpoint.created", {
    number,
    commit: commitOf(number),
    tree: commitOf(number),
    through_seq: 1,
    contract: null,
    files_changed: 1,
    duration_ms: 1,
  });

export const checkpointFailed = (number = 1): EventInput =>
  event("checkpoint.failed", { number, reason: "the disk is full", code: "E_WORKSPACE" });

export const restoredTo = (checkpoint: number, lost: readonly string[] = []): EventInput =>
  event("workspace.restored", {
    sandbox: SANDBOX,
    checkpoint,
    commit: commitOf(checkpoint),
    lost: lost.map((call) => ({ call, name: "shell" })),
    lost_count: lost.length,
    content: [{ type: "text", text: "gone" }],
  });

export const rewoundTo = (checkpoint: number): EventInput =>
  event("workspace.rewound", {
    checkpoint,
    commit: commitOf(checkpoint),
    content: [{ type: "text", text: "rewound" }],
  });

export const LAYER: string = "7".repeat(64);

export const layerDecided = (
  decision: EventBody<"environment.decided">["decision"],
  checkpoint = 1,
  key: string = LAYER,
): EventInput =>
  event("environment.decided", {
    key,
    commit: commitOf(checkpoint),
    decision,
    files: [],
    content: [{ type: "text", text: `dependencies: ${decision}` }],
  });

export const layerAnswered = (result: "approve" | "deny", hash: string = LAYER): EventInput =>
  event("approval.decided", { item: "dependencies", hash, result, author: "ada" });

export const saveNow: EventInput = event("control.checkpoint", {});

export const rewind = (checkpoint: number): EventInput =>
  event("control.rewind", { checkpoint, commit: commitOf(checkpoint) });

export const destroyRequested = (sandbox: string = SANDBOX): EventInput =>
  event("sandbox.destroy_requested", { sandbox });

export const destroyed = (sandbox: string = SANDBOX): EventInput => event("sandbox.destroyed", { sandbox });

type Asked = EventBody<"question.asked">;

/** The call `ask` and its question. */
export const questioned = (request: number, index: number, more: Partial<Asked> = {}): EventInput[] => [
  called(request, index, "read_only", { name: "ask", input: { text: "Which?" } }),
  event("question.asked", {
    question: `q${request}_${index}`,
    call: callId(request, index),
    text: "Which?",
    ...more,
  }),
];

export const questionAnswered = (
  question: string,
  text: string,
  more: Partial<EventBody<"question.answered">> = {},
): EventInput => event("question.answered", { question, text, author: "Ada", ...more });

export const notified = (event_seq: number, target: string, ok = true): EventInput =>
  event("notification.sent", { event_seq, target, ok, tries: 1, detail: "" });
