/** What a seed's sessions are, what their model answers, and what people send them when. */

import type { Contract } from "../../src/core/contract/contract.ts";
import {
  DECLARE,
  isSessionTool,
  REQUEST_VERDICT,
  SESSION_TOOLS,
} from "../../src/core/contract/session-tools.ts";
import type { ClientEventInput, EventBody, EventInput } from "../../src/core/events/index.ts";
import { event } from "../../src/core/events/index.ts";
import { createRedactor } from "../../src/core/redact.ts";
import type { Redactor } from "../../src/core/seal.ts";
import type { Json } from "../../src/core/text.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import type { ScriptFault, ScriptTurn } from "../../src/model/scripted.ts";
import { sessionTools } from "../../src/tool/builtin.ts";
import { builtinTools, type Tool } from "../../src/tool/index.ts";
import { BASE } from "./checkouts.ts";
import {
  NOTHING_FOUND,
  planAmendment,
  planContract,
  planContractControl,
  planDeclaration,
  type Standing,
  sealedAs,
} from "./contracts.ts";
import type { Random } from "./random.ts";

/** Must never be stored, whoever says it. */
export const SECRET = "correct-horse-battery-staple";

/** What a person sends, and how long after the thing before. */
export interface PersonAction {
  readonly label: string;
  readonly afterMs: number;
  readonly events: readonly ClientEventInput[];
}

/** One session to be. */
export interface SessionPlan {
  readonly label: string;
  readonly config: EventBody<"session.created">;
  readonly contract: Contract | null;
  readonly first: readonly EventInput<ClientEventInput["type"] | "contract.sealed">[];
  readonly respond: (request: ModelRequest) => ScriptTurn;
}

/** Everything that people do in one simulation. */
export interface Workload {
  readonly sessions: readonly SessionPlan[];
  readonly actions: readonly PersonAction[];
  readonly harnesses: number;
}

/** An idempotent tool beside the real ones, which have none. */
const syncTool: Tool = {
  name: "sync",
  operation: "shell",
  description: { name: "sync", description: "Synchronises.", inputSchema: { type: "object" } },
  effectOf: () => "idempotent",
  check: () => undefined,
};

/** All tools of a simulation by name. */
export const TOOLS: ReadonlyMap<string, Tool> = new Map(
  [...builtinTools(), ...sessionTools(), syncTool].map((tool) => [tool.name, tool]),
);

const WORK_TOOLS: readonly string[] = [...TOOLS.keys()].filter((name) => !isSessionTool(name));

/** Takes {@link SECRET} out of everything that is stored. */
export const REDACTOR: Redactor = createRedactor({ secrets: [SECRET] });

/** What a seed aims at: it gets a workload in which that happens. */
export interface Aim {
  /** There are many calls. */
  readonly works: boolean;
  /** Commands run long, so that people can stop them. */
  readonly stops: boolean;
  /** Most calls write files. */
  readonly writes: boolean;
  /** Sessions have contracts, of which people say much. */
  readonly judges: boolean;
  /** Mostly, that they want another one. */
  readonly amends: boolean;
  /** Sandboxes outlive their sessions' work, or end with it. */
  readonly graceMs: number | null;
  /** People send much. */
  readonly talks: boolean;
}

/** How much people send. */
function lengthOf({ judges, talks }: Aim): readonly [number, number] {
  if (judges) return [14, 22];
  return talks ? [10, 16] : [1, 6];
}

/** The workload of a seed. */
export function planWorkload(random: Random, aim: Aim): Workload {
  const count = random.chance(0.65) ? 1 : 2;
  const sessions = Array.from({ length: count }, (_, index) =>
    planSession(`s${index}`, random.fork(`s${index}`), aim),
  );
  const people = random.fork("people");
  const [least, most] = lengthOf(aim);
  const length = people.between(least, most);
  const labels = Array.from({ length }, () => people.pick(sessions).label);
  return {
    sessions,
    actions: labels.map((label) => {
      const isAgreed = sessions.some((session) => session.label === label && session.contract !== null);
      return planAction(people, label, aim, isAgreed ? NOTHING_FOUND : null);
    }),
    harnesses: random.weighted({ "1": 2, "2": 5, "3": 2 }) === "1" ? 1 : random.between(2, 3),
  };
}

function planSession(label: string, random: Random, aim: Aim): SessionPlan {
  const chance = random.fork("files");
  const hasFiles = aim.judges || chance.chance(0.4);
  const agreed = random.fork("contract");
  const contract = hasFiles && (aim.judges || agreed.chance(0.4)) ? planContract(agreed) : null;
  const style = { isLarge: random.chance(0.06), aim, isJudged: contract !== null };
  const files = hasFiles ? { checkpoint_calls: chance.pick([1, 2, 5]), checkpoint_ms: 10_000 } : null;
  return {
    label,
    config: planConfig(label, random, aim, files, contract),
    contract,
    first: [
      ...(contract === null ? [] : [sealedAs(contract)]),
      ...(random.chance(0.95) ? [message(`begin ${label}`)] : []),
    ],
    respond: (request) => respond(request, random, style),
  };
}

/** How a session's answers are made. */
interface Style {
  readonly isLarge: boolean;
  readonly aim: Aim;
  readonly isJudged: boolean;
}

type Policy = EventBody<"session.created">["policy"];

function planConfig(
  label: string,
  random: Random,
  aim: Aim,
  files: Pick<Policy, "checkpoint_calls" | "checkpoint_ms"> | null,
  contract: Contract | null,
): EventBody<"session.created"> {
  const isPriced = random.chance(0.3);
  const hasTools = aim.works || aim.talks || random.chance(0.93);
  return {
    metadata: { label },
    agent: {
      name: "agent",
      worker: "loop",
      model: {
        provider: "scripted",
        id: label,
        max_output_tokens: 500,
        ...(isPriced && {
          price: { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 },
        }),
      },
      system: "You work.",
      tools: [...(hasTools ? WORK_TOOLS : []), ...(contract === null ? [] : SESSION_TOOLS)],
    },
    sandbox: {
      backend: "simulated",
      workspace: `/w/${label}`,
      options: {},
      ...(files !== null && { checkout: { base: BASE, branch: label } }),
    },
    // A session that has reached a cap does little of what its seed aims at.
    limits:
      aim.judges || ((aim.works || aim.talks) && random.chance(0.8)) ? {} : planLimits(random, isPriced),
    policy: {
      steering: random.weighted({ enqueue: 5, interrupt: 3, reject: 2 }),
      idle_timeout_ms: random.pick([3000, 10_000, 60_000]),
      sandbox_grace_ms: aim.graceMs ?? random.pick([0, 500, 20_000]),
      tool_wall_ms: random.pick([2000, 20_000, 60_000]),
      model_failures_max: random.between(2, 8),
      ...files,
      ...(random.chance(0.3) && { approval_ms: random.between(1000, 600_000) }),
      no_contact_ms: (aim.graceMs ?? 0) > 0 ? 120_000 : random.pick([5000, 30_000, 120_000]),
    },
  };
}

function planLimits(random: Random, isPriced: boolean): EventBody<"session.created">["limits"] {
  return {
    ...(random.chance(0.15) && { model_requests: random.between(1, 8) }),
    ...(random.chance(0.15) && { tokens: random.between(500, 12_000) }),
    ...(isPriced && random.chance(0.4) && { cost_micro_usd: random.between(10_000, 200_000) }),
  };
}

/** A message of a person. */
export function message(text: string, steering?: "enqueue" | "interrupt" | "reject"): ClientEventInput {
  return event("user.message", { content: [{ type: "text", text }], ...(steering && { steering }) });
}

function planAction(random: Random, label: string, aim: Aim, standing: Standing | null): PersonAction {
  if (standing !== null && aim.judges && random.chance(0.7)) {
    const input =
      aim.amends && random.chance(0.7) ? planAmendment(random) : planContractControl(random, standing);
    return { label, afterMs: random.between(0, 30_000), events: [input] };
  }
  // A person who pauses or ends a session keeps it from what its seed aims at.
  const chanceOfMessage = aim.works || aim.talks || aim.judges ? 0.93 : 0;
  const input = random.chance(chanceOfMessage)
    ? message(`more ${random.text(4)}`)
    : planControl(random, null, standing);
  return { label, afterMs: random.between(0, 20_000), events: [input] };
}

/** Something that a person may do. @param call - a call that waits for a person, if any */
export function planControl(
  random: Random,
  call: string | null,
  standing: Standing | null,
): ClientEventInput {
  if (standing !== null && random.chance(0.4)) return planContractControl(random, standing);
  if (call !== null && random.chance(0.6)) {
    const result = random.chance(0.5) ? "allow" : "deny";
    return event("user.tool_confirmation", { call, result });
  }
  const kinds = {
    message: 5,
    interrupt: 3,
    pause: 2,
    resume: 3,
    stop: 2,
    cancel: 0.25,
    limits: 0.7,
    checkpoint: 0.7,
    rewind: 0.4,
  };
  switch (random.weighted(kinds)) {
    case "message":
      return message(
        `note ${random.text(5)} ${random.chance(0.05) ? SECRET : ""}`,
        random.pick([undefined, "interrupt"]),
      );
    case "interrupt":
      return event("user.interrupt", {});
    case "pause":
      return event("control.pause", {});
    case "resume":
      return event("control.resume", {});
    case "stop":
      return event("control.stop", { reason: "enough" });
    case "cancel":
      return event("control.cancel", {});
    case "checkpoint":
      return event("control.checkpoint", {});
    case "rewind":
      return event("control.rewind", { checkpoint: 0, commit: BASE });
    case "limits":
      return event("control.set_limits", { limits: planLimits(random, false) });
  }
}

/** The model's answer: it depends on the seed and on how many answers there were before, nothing else. */
function respond(request: ModelRequest, random: Random, style: Style): ScriptTurn {
  const turnIndex = request.messages.filter(({ role }) => role === "assistant").length;
  const chance = random.fork(`turn ${turnIndex}`);
  const wantsTools = request.tools.length > 0 && chance.chance(chanceOfTools(style.aim, turnIndex));
  const count = wantsTools ? (chance.chance(0.65) ? 1 : chance.between(2, 4)) : 0;
  const inputTokens = Math.ceil(JSON.stringify(request.messages).length / 4);
  return {
    ...(chance.chance(0.2) && { thinking: `thought ${turnIndex}` }),
    text: `answer ${turnIndex} ${chance.chance(0.03) ? SECRET : ""}`,
    ...(count > 0 && { tools: Array.from({ length: count }, () => planTool(chance, style)) }),
    usage: chance.chance(0.1) ? null : { input_tokens: inputTokens, output_tokens: 50 },
    ...(chance.chance(0.03) && { stop: chance.pick(["max_tokens", "refusal", "other"]) }),
    ...(chance.chance(0.5) && { delay_ms: chance.between(10, 2500) }),
    ...(chance.chance(0.2) && {
      fail: Array.from({ length: chance.between(1, 3) }, () => planFailure(chance)),
    }),
  };
}

/** Answers come to an end sooner or later, whatever a seed aims at. */
function chanceOfTools({ works, graceMs }: Aim, turnIndex: number): number {
  if (works && turnIndex < 25) return 0.95;
  return graceMs !== null ? 0.65 : Math.max(0, 0.85 - turnIndex * 0.1);
}

function planFailure(random: Random): ScriptFault {
  const after_chunks = random.between(0, 2);
  switch (
    random.weighted({ status: 4, reset: 1, cut: 2, no_finish: 1, silence: 1, garbage: 1, error_event: 1 })
  ) {
    case "status":
      return {
        kind: "status",
        status: random.pick([429, 500, 503, 529, 529, 400, 401]),
        ...(random.chance(0.3) && { headers: { "retry-after": String(random.between(1, 40)) } }),
      };
    case "reset":
      return { kind: "reset" };
    case "cut":
      return { kind: "cut", after_chunks };
    case "no_finish":
      return { kind: "no_finish", after_chunks };
    case "silence":
      return { kind: "silence", after_chunks };
    case "garbage":
      return { kind: "garbage", after_chunks };
    case "error_event":
      return { kind: "error_event", after_chunks, error_type: "overloaded_error" };
  }
}

function planTool(random: Random, style: Style): { name: string; input?: Json } {
  const file_path = `f${random.between(0, 2)}`;
  const write = style.aim.writes ? 40 : 5;
  const bash = style.aim.stops ? 40 : 7;
  const work = { bash, push: 2, sync: 2, read: 2, grep: 1, write, edit: 3, invalid: 0.7, unknown: 0.3 };
  const talk = { verdict: style.isJudged ? 1.5 : 0, declare: style.isJudged ? 0.5 : 0 };
  switch (random.weighted({ ...work, ...talk })) {
    case "bash":
      return { name: "bash", input: { command: `step ${commandOptions(random, style)}` } };
    case "push":
      return { name: "bash", input: { command: `git push origin ${commandOptions(random, style)}` } };
    case "sync":
      return { name: "sync", input: { command: `sync ${commandOptions(random, style)}` } };
    case "read":
      return { name: "read", input: { file_path } };
    case "grep":
      return { name: "grep", input: { pattern: "a" } };
    case "write":
      return { name: "write", input: { file_path, content: `a${random.between(0, 3)} ${random.text(4)}` } };
    case "edit":
      return { name: "edit", input: { file_path, old_string: "a", new_string: `b${random.text(3)}a` } };
    case "invalid":
      return { name: "read", input: { path: 7 } };
    case "unknown":
      return { name: "teleport", input: {} };
    case "verdict":
      return { name: REQUEST_VERDICT, input: {} };
    case "declare":
      return { name: DECLARE, input: planDeclaration(random) };
  }
}

function commandOptions(random: Random, { isLarge, aim }: Style): string {
  const durationMs = random.weighted({
    short: aim.stops ? 0.5 : 6,
    medium: aim.stops ? 0 : 3,
    long: aim.stops ? 8 : 1,
  });
  const ms =
    durationMs === "short"
      ? random.between(1, 300)
      : random.between(durationMs === "medium" ? 300 : 5000, durationMs === "medium" ? 5000 : 45_000);
  const options = [`--ms ${ms}`, `--effect ${random.between(0, ms)}`];
  if (random.chance(0.15)) options.push("--exit 1");
  if (random.chance(0.15)) options.push(`--file f${random.between(0, 2)}`);
  if (random.chance(0.04)) options.push(`--print ${SECRET}`);
  if (isLarge) options.push("--out 9000");
  return options.join(" ");
}
